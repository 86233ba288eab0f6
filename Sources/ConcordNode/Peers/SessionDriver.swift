// Drives one session over one connection: frames, store and clock on the outside, the state machine on the inside.
// Inputs are handled strictly one after the other; the next frame is read only when the one before is dealt with, so a
// peer can never fill this node's memory.

import ConcordModel
import ConcordStore
import ConcordSync
import ConcordTransport
import Logging
import Synchronization

/// One connection's session, from the handshake to its end.
final class SessionDriver: Sendable {
    /// What the rest of the node learns from a session while it runs.
    enum Event: Sendable {
        case hello(PeerHello)
        case progress(SpaceID, Progress)
        case roundTrip(Milliseconds)
        case alarm(SpaceID?, ConcordError)
        /// A replica was found to have signed two changes of one number: all sessions of the space must know.
        case forked(SpaceID, ReplicaID)
        /// This node's own replica is written elsewhere, too, by the peer's word.
        case ownReplicaElsewhere(SpaceID, ReplicaID)
        /// Receipts that are new here.
        case receipts(SpaceID, [Receipt])
        /// Receipts that are not true, the first with why.
        case refusedReceipts(SpaceID, count: Int, ConcordError)
    }

    private struct Envelope: Sendable {
        let input: SessionInput
        let handled: CheckedContinuation<Void, Never>?
    }

    private struct Shared {
        var lastHeard: ContinuousClock.Instant
        /// How many frames came whole.
        var wholeFrames = 0
        var queuedBytes = 0
        var isTold = true
        var advanced: Set<SpaceID> = []
        var transportError: TransportError?
        var names = SpaceNames()
        /// Bytes that had arrived when that was last looked at.
        var seenBytes: UInt64 = 0
    }

    /// At this many queued bytes the session stops producing; below half of it, it goes on.
    private static let queueBytes = 256 << 10

    let connection: FrameConnection
    private let store: ReplicaStore
    private let line: DeliveryLine
    private let desk: IntakeDesk
    private let blobs: BlobSession
    private let clock: @Sendable () -> Int64
    private let events: @Sendable (Event) async -> Void
    private let shared: Mutex<Shared>
    private let inputs: AsyncStream<Envelope>
    private let inputContinuation: AsyncStream<Envelope>.Continuation
    private let outgoing: AsyncStream<[UInt8]>
    private let outgoingContinuation: AsyncStream<[UInt8]>.Continuation
    private let origin = ContinuousClock.now

    init(
        connection: FrameConnection, store: ReplicaStore, desk: IntakeDesk, attachments: AttachmentKeeper,
        clock: @escaping @Sendable () -> Int64,
        events: @escaping @Sendable (Event) async -> Void
    ) {
        self.connection = connection
        self.store = store
        line = DeliveryLine(store: store)
        self.desk = desk
        self.clock = clock
        self.events = events
        shared = Mutex(Shared(lastHeard: .now))
        let (inputs, inputContinuation) = AsyncStream.makeStream(of: Envelope.self)
        (self.inputs, self.inputContinuation) = (inputs, inputContinuation)
        blobs = BlobSession(
            keeper: attachments, node: NodeID(certificate: connection.peer.node)
        ) { inputContinuation.yield(Envelope(input: .blob($0), handled: nil)) }
        (outgoing, outgoingContinuation) = AsyncStream.makeStream()
    }

    /// How long ago the peer was last heard of.
    var silence: Duration { shared.withLock { ContinuousClock.now - $0.lastHeard } }
    /// How many frames came whole.
    var wholeFrames: Int { shared.withLock { $0.wholeFrames } }

    /// Why the connection broke, if it did.
    var transportError: TransportError? { shared.withLock { $0.transportError } }

    /// Tells the session that the log of a space grew. Several such signals that wait become one.
    func advanced(_ space: SpaceID, position: Int64) {
        let isFirst = shared.withLock { $0.advanced.insert(space).inserted }
        // What is held is read when the signal is handled.
        if isFirst { submit(.advanced(space, position: position, held: VersionVector())) }
    }

    /// Hands an input to the session, without waiting for it to be handled.
    func submit(_ input: SessionInput) {
        inputContinuation.yield(Envelope(input: input, handled: nil))
    }

    /// Runs the session to its end, closes the connection, and returns why it ended.
    func run(_ session: consuming Session) async -> SessionEnd {
        var session = session
        // Before the first frame can come in: a session that has not begun takes none.
        submit(.started(clock: clock()))
        let link = desk.open(self)
        defer { desk.close(link) }
        return await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.read() }
            group.addTask { await self.write() }
            group.addTask { await self.line.run { await self.applied($0, $1) } }
            group.addTask { await self.blobs.run() }
            let end = await handleInputs(&session, link)
            blobs.finish()
            outgoingContinuation.finish()
            line.finish()
            await flushed.wait(atMost: PeerLimits.flushTime)
            await close()
            group.cancelAll()
            return end
        }
    }

    private let flushed = Gate()

    /// Closes the connection. One whose peer reads nothing closes by itself later, without anybody waiting.
    private func close() async {
        let closed = Gate()
        Task {
            await connection.close()
            await closed.open()
        }
        await closed.wait(atMost: PeerLimits.flushTime)
    }

    private func read() async {
        do {
            for try await frame in connection.frames() {
                shared.withLock { ($0.lastHeard, $0.wholeFrames) = (.now, $0.wholeFrames + 1) }
                await withCheckedContinuation { continuation in
                    let result = inputContinuation.yield(
                        Envelope(input: .frame(frame), handled: continuation))
                    if case .enqueued = result { return }
                    continuation.resume()
                }
                if Task.isCancelled { break }
            }
        } catch is CancellationError {
            // This side has ended the session, or its task.
        } catch {
            let failure = error as? TransportError ?? TransportError(.io("\(error)"))
            shared.withLock { $0.transportError = failure }
        }
        submit(.disconnected)
    }

    private func write() async {
        do {
            for await frame in outgoing {
                try await connection.send(frame)
                let goesOn = shared.withLock { shared in
                    shared.queuedBytes -= frame.count
                    guard !shared.isTold, shared.queuedBytes < Self.queueBytes / 2 else { return false }
                    shared.isTold = true
                    return true
                }
                if goesOn { submit(.writable(true)) }
            }
        } catch {
            // The reader finds the same end, after the frames that came before it: they may say why.
        }
        await flushed.open()
    }

    private func handleInputs(_ session: inout Session, _ link: Int) async -> SessionEnd {
        var timer: Task<Void, Never>?
        var armed: Milliseconds?
        defer {
            timer?.cancel()
            inputContinuation.finish()
        }
        for await envelope in inputs {
            let end = await handle(envelope.input, in: &session, link)
            envelope.handled?.resume()
            if let end {
                await drain()
                return end
            }
            if session.deadline != armed {
                timer?.cancel()
                armed = session.deadline
                timer = armed.map(alarm)
            }
            if case .tick = envelope.input { armed = nil }
        }
        // The task was cancelled: the connection goes with it.
        guard let end = await handle(.disconnected, in: &session, link) else {
            preconditionFailure("a session outlived its connection")
        }
        return end
    }

    /// Lets a reader go that still waits for its frame to be handled.
    private func drain() async {
        inputContinuation.finish()
        for await envelope in inputs { envelope.handled?.resume() }
    }

    /// Whether bytes came since this was asked last, of a whole frame or not.
    private var isReceiving: Bool {
        let bytes = connection.bytesReceived
        return shared.withLock { shared in
            guard shared.seenBytes != bytes else { return false }
            (shared.seenBytes, shared.lastHeard) = (bytes, .now)
            return true
        }
    }

    private func alarm(at deadline: Milliseconds) -> Task<Void, Never> {
        Task { [self] in
            let delay = max(0, deadline - now)
            guard (try? await Task.sleep(for: .milliseconds(delay))) != nil else { return }
            submit(.tick)
        }
    }

    private var now: Milliseconds {
        let elapsed = (ContinuousClock.now - origin).components
        return elapsed.seconds * 1000 + elapsed.attoseconds / 1_000_000_000_000_000
    }

    /// Handles one input and everything that its effects yield.
    private func handle(_ input: SessionInput, in session: inout Session, _ link: Int) async -> SessionEnd? {
        var waiting = [input]
        while !waiting.isEmpty {
            var next = waiting.removeFirst()
            if case .tick = next, isReceiving {
                waiting.insert(next, at: 0)
                next = .receiving
            }
            if case .frame(let bytes) = next { next = .frame(shared.withLock { $0.names.expanded(bytes) }) }
            if case .advanced(let space, _, _) = next {
                shared.withLock { _ = $0.advanced.remove(space) }
                next = await answer(space) {
                    let held = try self.store.heldVector(space)
                    return .advanced(space, position: held.position, held: held.vector)
                }
            }
            for effect in session.handle(next, now: now) {
                waiting += desk.handle(effect, of: link)
                switch effect {
                case .end(let end): return end
                default: if let answer = await carryOut(effect) { waiting.append(answer) }
                }
            }
        }
        return nil
    }

    private func carryOut(_ effect: SessionEffect) async -> SessionInput? {
        switch effect {
        case .send(let frame): return enqueue(shared.withLock { $0.names.shortened(frame) })
        case .readHeld(let space):
            return await answer(space) {
                let (summary, digest) = try await self.store.heldForPeer(space)
                return .held(space, summary, digest: digest)
            }
        case .readSlice(let space, let position, let known, let maximumBytes):
            return await answer(space) {
                .slice(
                    space,
                    try self.store.slice(space, after: position, excluding: known, maximumBytes: maximumBytes)
                )
            }
        case .compare(let space, let heads):
            return await answer(space) { .compared(space, try await self.store.compare(heads, in: space)) }
        case .apply(let space, let runs): line.give(runs, in: space)
        case .readReceipts(let space):
            return await answer(space) {
                .receipts(space, try ReceiptKeeper(store: self.store).all(of: space))
            }
        case .receipts(let space, let receipts): return await keep(receipts, in: space)
        // The desk has answered.
        case .intake: break
        // Dealt with before the session goes on.
        case .ownReplicaElsewhere(let space, let replica): await events(.ownReplicaElsewhere(space, replica))
        case .progress(let space, let progress): await events(.progress(space, progress))
        case .blob(let effect): blobs.carryOut(effect)
        case .peerHello(let hello):
            shared.withLock { $0.names.share(hello.sharedSpaces) }
            blobs.share(hello.sharedSpaces)
            await events(.hello(hello))
        case .roundTrip(let duration): await events(.roundTrip(duration))
        case .alarm(let space, let error): await events(.alarm(space, error))
        case .end: break
        }
        return nil
    }

    private func applied(_ space: SpaceID, _ result: Result<ReceiveOutcome, any Error>) async {
        switch result {
        case .success(let outcome):
            // Where a branch was taken in, names of chains have changed: the other sessions must not go on with them.
            if let forked = outcome.forked, outcome.tookBranch { await events(.forked(space, forked)) }
            submit(.applied(space, outcome))
        case .failure(let error): submit(.storeFailed(space, ConcordError(wrapping: error)))
        }
    }

    private func keep(_ receipts: [Receipt], in space: SpaceID) async -> SessionInput? {
        do {
            let kept = try await ReceiptKeeper(store: store).keep(receipts, in: space, now: clock())
            if !kept.new.isEmpty { await events(.receipts(space, kept.new)) }
            if let refusal = kept.refusal {
                await events(.refusedReceipts(space, count: kept.refused, refusal))
            }
            return nil
        } catch {
            // Receipts come again; a disk that takes no writes is no reason to end the session.
            let error = ConcordError(wrapping: error)
            return StorageHealth.kind(of: error.code) == nil ? .storeFailed(space, error) : nil
        }
    }

    private func enqueue(_ frame: [UInt8]) -> SessionInput? {
        let isFull = shared.withLock { shared in
            shared.queuedBytes += frame.count
            guard shared.isTold, shared.queuedBytes > Self.queueBytes else { return false }
            shared.isTold = false
            return true
        }
        outgoingContinuation.yield(frame)
        return isFull ? .writable(false) : nil
    }

    private func answer(_ space: SpaceID, _ body: () async throws -> SessionInput) async -> SessionInput {
        do {
            return try await body()
        } catch {
            return .storeFailed(space, ConcordError(wrapping: error))
        }
    }
}

/// A door that opens once.
private actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func open() {
        isOpen = true
        for continuation in waiting { continuation.resume() }
        waiting = []
    }

    /// Waits until it is open; opens it when this takes longer than `limit`.
    func wait(atMost limit: Duration) async {
        let timer = Task {
            try await Task.sleep(for: limit)
            open()
        }
        await wait()
        timer.cancel()
    }

    private func wait() async {
        guard !isOpen else { return }
        await withCheckedContinuation { waiting.append($0) }
    }
}
