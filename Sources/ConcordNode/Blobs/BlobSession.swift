// What one session does with attachments, beside its path of changes: reads and writes of files go through queues of
// their own, so that a slow disk delays no change. How much waits in them is bounded by the session, which reads two
// pieces ahead and asks the peer for no more than its window.

import ConcordModel
import ConcordSync

/// The road between one session and the node's files.
final class BlobSession: Sendable {
    private enum Arrival: Sendable {
        case spaces([SpaceID])
        case store(BlobOrder.ID, BlobPlace, BlobBytes)
        case room(byteCount: Int, window: Int, after: BlobOrder.ID)
        case lacking(BlobOrder.ID)
        case holding(BlobID)
    }

    private struct Question: Sendable {
        let place: BlobPlace
        let byteCount: Int
    }

    private let keeper: AttachmentKeeper
    private let node: NodeID
    private let submit: @Sendable (BlobInput) -> Void
    private let arrivals: AsyncStream<Arrival>
    private let arrivalContinuation: AsyncStream<Arrival>.Continuation
    private let questions: AsyncStream<Question>
    private let questionContinuation: AsyncStream<Question>.Continuation

    /// A road of the session with `node`, whose inputs go to `submit`.
    init(keeper: AttachmentKeeper, node: NodeID, submit: @escaping @Sendable (BlobInput) -> Void) {
        self.keeper = keeper
        self.node = node
        self.submit = submit
        (arrivals, arrivalContinuation) = AsyncStream.makeStream()
        (questions, questionContinuation) = AsyncStream.makeStream()
    }

    /// The spaces that both share.
    func share(_ spaces: [SpaceID]) { arrivalContinuation.yield(.spaces(spaces)) }

    /// Has an effect carried out, without waiting for it.
    func carryOut(_ effect: BlobEffect) {
        switch effect {
        case .read(let place, let byteCount):
            questionContinuation.yield(Question(place: place, byteCount: byteCount))
        case .store(let order, let place, let bytes): arrivalContinuation.yield(.store(order, place, bytes))
        case .room(let byteCount, let window, let order):
            arrivalContinuation.yield(.room(byteCount: byteCount, window: window, after: order))
        case .lacking(let order): arrivalContinuation.yield(.lacking(order))
        case .holding(_, let blob): arrivalContinuation.yield(.holding(blob))
        }
    }

    /// No more effects come.
    func finish() {
        arrivalContinuation.finish()
        questionContinuation.finish()
    }

    /// Works until ``finish()``, and through what waits then.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.serve() }
            group.addTask { await self.take() }
        }
    }

    private func serve() async {
        for await question in questions {
            submit(.read(question.place, await keeper.read(question.place, byteCount: question.byteCount)))
        }
    }

    private func take() async {
        let peer = await keeper.open(node: node, submit: submit)
        for await arrival in arrivals {
            switch arrival {
            case .spaces(let spaces): await keeper.connected(peer, node: node, spaces: spaces)
            case .store(let order, let place, let bytes):
                await keeper.store(bytes, at: place, of: order, from: peer)
                submit(.stored(order, byteCount: bytes.bytes.count))
            case .room(let byteCount, let window, let order):
                await keeper.room(byteCount, window: window, after: order, at: peer)
            case .lacking(let order): await keeper.lacking(order)
            case .holding(let blob): await keeper.holding(blob, at: peer)
            }
        }
        await keeper.disconnected(peer)
    }
}
