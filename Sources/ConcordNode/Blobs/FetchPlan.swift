// Which file is fetched from whom. Pure: what happens goes in, actions come out, so that it can be tested without disk
// and network. A file is fetched chunk by chunk from all peers that have it; a chunk from one peer at a time.
//
//     a file is       until
//     closed          somebody is connected who may have it: then what came earlier is opened on the disk
//     opening         the disk has answered
//     nameless        its manifest is here
//     open            all its chunks are verified
//     finishing       it is durable under its name: then it is wished for no more

import ConcordModel
import ConcordSync

/// The plan of all fetching of a node.
struct FetchPlan: Sendable {
    /// Tells sessions apart.
    typealias Peer = UInt64

    /// A file that is wanted here.
    struct Wish: Hashable, Sendable {
        let blob: BlobID
        /// Bytes, as the records say.
        var size: Int64
        /// The spaces in which it may be had, ascending.
        var spaces: [SpaceID]
        /// Whether somebody waits for it.
        var isUrgent = false
    }

    /// What is to be done.
    enum Action: Hashable, Sendable {
        /// Open what came earlier and answer with ``FetchPlan/opened(_:missing:)``.
        case open(BlobID)
        /// Close the file on the disk: nobody has it at present.
        case close(BlobID)
        /// Order this from a session.
        case fetch(Peer, BlobOrder.ID, Part)
        /// Take an order back.
        case cancel(Peer, BlobOrder.ID)
        /// All chunks are verified: give the file its name.
        case finish(BlobID)
    }

    /// What an order is for.
    struct Part: Hashable, Sendable {
        let blob: BlobID
        let space: SpaceID
        /// The chunk; nil for the manifest.
        let chunk: Int?
        /// Bytes at most.
        let byteCount: Int64
    }

    private enum Stage: Sendable {
        case closed
        case opening
        case nameless(isOrdered: Bool)
        /// The chunks that nobody was asked for, the next last, and how many are not verified.
        case open(waiting: [Int], missing: Int)
        case finishing
    }

    private struct Item: Sendable {
        var wish: Wish
        var stage = Stage.closed
        /// Until when it is left alone, because the disk did not take it.
        var restsUntil: Milliseconds = 0
    }

    private struct Order: Sendable {
        let peer: Peer
        let part: Part
        var movedAt: Milliseconds
    }

    private struct Partner: Sendable {
        let node: NodeID
        var spaces: Set<SpaceID>
        var room = 0
        var window = 0
        /// What it lacks, and when to ask again.
        var lacking: [BlobID: Milliseconds] = [:]
        /// The number of the last order that it got.
        var lastOrder: UInt64 = 0
        /// Whether nothing was found for it since the plan changed.
        var isIdle = false
    }

    private var items: [BlobID: Item] = [:]
    /// The items that are not closed: few, however many are wished for.
    private var active: Set<BlobID> = []
    /// What is wished for, the most urgent first.
    private var ranking: [BlobID] = []
    private var orders: [BlobOrder.ID: Order] = [:]
    private var partners: [Peer: Partner] = [:]
    /// What nodes gave wrong bytes of, and until when they are not asked again.
    private var distrust: [NodeID: [BlobID: Milliseconds]] = [:]
    private var nextOrder: UInt64 = 1
    private var now: Milliseconds = 0

    /// What is wished for, the most urgent first.
    var wishes: [Wish] { ranking.compactMap { items[$0]?.wish } }

    /// The wish for a file, if there is one.
    func wish(for blob: BlobID) -> Wish? { items[blob]?.wish }

    /// Whether a file is wished for.
    func wants(_ blob: BlobID) -> Bool { items[blob] != nil }

    /// What an order is for; nil for one that was taken back.
    func part(of order: BlobOrder.ID) -> Part? { orders[order]?.part }

    /// How many peers a file is being fetched from.
    func sources(of blob: BlobID) -> Int {
        Set(orders.values.filter { $0.part.blob == blob }.map(\.peer)).count
    }

    // MARK: What is wanted

    /// Wishes for exactly these files from now on.
    mutating func wish(for wishes: [Wish], now: Milliseconds) -> [Action] {
        self.now = now
        var actions: [Action] = []
        let wanted = Dictionary(wishes.map { ($0.blob, $0) }) { first, _ in first }
        for blob in ranking where wanted[blob] == nil { actions += drop(blob) }
        for wish in wanted.values { items[wish.blob, default: Item(wish: wish)].wish = wish }
        ranking = items.values.map(\.wish).sorted(by: Self.isBefore).map(\.blob)
        return actions + fill(hasNews: true)
    }

    private mutating func drop(_ blob: BlobID) -> [Action] {
        var actions: [Action] = []
        for (id, order) in orders where order.part.blob == blob {
            actions.append(.cancel(order.peer, id))
            orders[id] = nil
        }
        active.remove(blob)
        if let item = items.removeValue(forKey: blob) {
            switch item.stage {
            case .opening, .open: actions.append(.close(blob))
            case .closed, .nameless, .finishing: break
            }
        }
        return actions
    }

    private mutating func enter(_ blob: BlobID, _ stage: Stage) {
        guard items[blob] != nil else { return }
        items[blob]?.stage = stage
        if case .closed = stage { active.remove(blob) } else { active.insert(blob) }
    }

    // MARK: What the disk says

    /// A file was opened.
    ///
    /// - Parameter missing: the chunks that are not verified; nil if not even its manifest is here.
    mutating func opened(_ blob: BlobID, missing: [Int]?) -> [Action] {
        guard items[blob] != nil else { return [.close(blob)] }
        guard let missing else {
            enter(blob, .nameless(isOrdered: false))
            return fill(hasNews: true)
        }
        guard !missing.isEmpty else {
            enter(blob, .finishing)
            return [.finish(blob)]
        }
        enter(blob, .open(waiting: missing.reversed(), missing: missing.count))
        return fill(hasNews: true)
    }

    /// A file could not be opened or continued; it is tried again after a while.
    mutating func failed(_ blob: BlobID, now: Milliseconds) -> [Action] {
        self.now = now
        items[blob]?.restsUntil = now + BlobPolicyLimits.retry
        var actions: [Action] = []
        for (id, order) in orders where order.part.blob == blob {
            actions.append(.cancel(order.peer, id))
            orders[id] = nil
        }
        enter(blob, .closed)
        return actions + [.close(blob)]
    }

    /// A file has its name.
    mutating func finished(_ blob: BlobID) -> [Action] {
        items[blob] = nil
        active.remove(blob)
        ranking.removeAll { $0 == blob }
        return fill(hasNews: true)
    }

    /// Bytes of an order were stored, and more of it is to come.
    mutating func moved(_ id: BlobOrder.ID, now: Milliseconds) {
        self.now = now
        orders[id]?.movedAt = now
    }

    /// Everything of an order is verified.
    mutating func completed(_ id: BlobOrder.ID, now: Milliseconds) -> [Action] {
        self.now = now
        guard let order = orders.removeValue(forKey: id) else { return [] }
        let blob = order.part.blob
        guard case .open(let waiting, let missing) = items[blob]?.stage else { return fill(hasNews: false) }
        enter(blob, missing == 1 ? .finishing : .open(waiting: waiting, missing: missing - 1))
        return (missing == 1 ? [.finish(blob)] : []) + fill(hasNews: false)
    }

    /// What came of an order does not fit: it is ordered anew, and not from this node if it is to blame.
    mutating func refused(_ id: BlobOrder.ID, isToBlame: Bool, now: Milliseconds) -> [Action] {
        self.now = now
        guard let order = orders[id] else { return [] }
        if isToBlame, let node = partners[order.peer]?.node {
            distrust[node, default: [:]][order.part.blob] = now + BlobPolicyLimits.distrust
        }
        return [.cancel(order.peer, id)] + release(id)
    }

    // MARK: What peers say

    /// A session has begun, or its spaces have changed.
    mutating func connected(_ peer: Peer, node: NodeID, spaces: [SpaceID]) -> [Action] {
        partners[peer, default: Partner(node: node, spaces: [])].spaces = Set(spaces)
        return fill(hasNews: true)
    }

    /// A session has ended.
    mutating func disconnected(_ peer: Peer) -> [Action] {
        partners[peer] = nil
        for (id, order) in orders where order.peer == peer { putBack(id) }
        return fill(hasNews: true)
    }

    /// A session can take more orders than those up to `order`.
    mutating func room(
        _ byteCount: Int, window: Int, after order: BlobOrder.ID, at peer: Peer, now: Milliseconds
    ) -> [Action] {
        self.now = now
        // What was said before the latest order came there is out of date.
        guard partners[peer]?.lastOrder == order else { return [] }
        partners[peer]?.room = byteCount
        partners[peer]?.window = window
        partners[peer]?.isIdle = false
        return fill(hasNews: false)
    }

    /// A peer does not have what was ordered.
    mutating func lacking(_ id: BlobOrder.ID, now: Milliseconds) -> [Action] {
        self.now = now
        guard let order = orders[id] else { return [] }
        partners[order.peer]?.lacking[order.part.blob] = now + BlobPolicyLimits.retry
        return release(id)
    }

    /// A peer has a file that it lacked.
    mutating func holding(_ blob: BlobID, at peer: Peer) -> [Action] {
        partners[peer]?.lacking[blob] = nil
        return fill(hasNews: true)
    }

    /// Time has passed: peers that lacked something are asked again, and orders of which nothing comes are given to
    /// others.
    mutating func tick(now: Milliseconds) -> [Action] {
        self.now = now
        var actions: [Action] = []
        for (node, blobs) in distrust {
            let rest = blobs.filter { $0.value > now }
            distrust[node] = rest.isEmpty ? nil : rest
        }
        for (peer, partner) in partners {
            partners[peer]?.lacking = partner.lacking.filter { $0.value > now }
        }
        for (id, order) in orders where order.movedAt + BlobPolicyLimits.stall <= now {
            guard partners.contains(where: { $0.key != order.peer && mayHave($0.value, order.part.blob) })
            else { continue }
            partners[order.peer]?.lacking[order.part.blob] = now + BlobPolicyLimits.stall
            actions.append(.cancel(order.peer, id))
            putBack(id)
        }
        actions += fill(hasNews: true)
        let ordered = Set(orders.values.map(\.part.blob))
        for blob in active
        where !ordered.contains(blob) && !partners.values.contains(where: { mayHave($0, blob) }) {
            switch items[blob]?.stage {
            case .open:
                enter(blob, .closed)
                actions.append(.close(blob))
            case .nameless: enter(blob, .closed)
            case .closed, .opening, .finishing, nil: break
            }
        }
        return actions
    }

    // MARK: Giving orders

    private mutating func release(_ id: BlobOrder.ID) -> [Action] {
        putBack(id)
        return fill(hasNews: true)
    }

    private mutating func putBack(_ id: BlobOrder.ID) {
        guard let order = orders.removeValue(forKey: id) else { return }
        switch items[order.part.blob]?.stage {
        case .nameless: enter(order.part.blob, .nameless(isOrdered: false))
        case .open(let waiting, let missing):
            guard let chunk = order.part.chunk else { return }
            enter(order.part.blob, .open(waiting: waiting + [chunk], missing: missing))
        case .closed, .opening, .finishing, nil: break
        }
    }

    /// Gives orders to whoever has room, whoever waited longest first.
    ///
    /// - Parameter hasNews: whether peers for whom there was nothing may find something now.
    private mutating func fill(hasNews: Bool) -> [Action] {
        var actions: [Action] = []
        if hasNews { for peer in partners.keys { partners[peer]?.isIdle = false } }
        for peer in partners.keys.sorted(by: { waitedLonger($0, $1) }) {
            while let partner = partners[peer], partner.room > 0, !partner.isIdle,
                mayOrder(from: peer, partner),
                outstandingBytes < BlobPolicyLimits.outstandingBytes
            {
                guard let part = nextPart(for: partner, &actions) ?? takeOver(for: peer, partner, &actions)
                else {
                    partners[peer]?.isIdle = true
                    break
                }
                let id = nextOrder
                nextOrder += 1
                orders[id] = Order(peer: peer, part: part, movedAt: now)
                partners[peer]?.room -= Int(part.byteCount)
                partners[peer]?.lastOrder = id
                actions.append(.fetch(peer, id, part))
            }
        }
        return actions
    }

    private func waitedLonger(_ a: Peer, _ b: Peer) -> Bool {
        (partners[a]?.lastOrder ?? 0, a) < (partners[b]?.lastOrder ?? 0, b)
    }

    private var outstandingBytes: Int64 { orders.values.reduce(0) { $0 + $1.part.byteCount } }

    /// Several peers at once share one road where it is thin, and each keeps some pieces on it: so of peers that show to
    /// be slow, and of new ones, which may be, one at a time is asked.
    private func mayOrder(from peer: Peer, _ partner: Partner) -> Bool {
        guard partner.window < BlobPolicyLimits.fastWindow else { return true }
        return orders.values.allSatisfy { order in
            order.peer == peer || partners[order.peer]?.window ?? 0 >= BlobPolicyLimits.fastWindow
        }
    }

    private func mayHave(_ partner: Partner, _ blob: BlobID) -> Bool {
        guard partner.lacking[blob] == nil, let wish = items[blob]?.wish,
            wish.spaces.contains(where: partner.spaces.contains)
        else { return false }
        guard let wrong = distrust[partner.node] else { return true }
        return wrong[blob] == nil && wrong.count < BlobPolicyLimits.distrustedBlobs
    }

    /// The most urgent part that this peer may have and nobody was asked for.
    private mutating func nextPart(for partner: Partner, _ actions: inout [Action]) -> Part? {
        openMore(for: partner, onlyUrgent: true, &actions)
        for wish in active.compactMap({ items[$0]?.wish }).sorted(by: Self.isBefore) {
            let blob = wish.blob
            guard mayHave(partner, blob), let item = items[blob],
                let space = wish.spaces.first(where: partner.spaces.contains)
            else { continue }
            switch item.stage {
            case .nameless(isOrdered: false):
                enter(blob, .nameless(isOrdered: true))
                return Part(
                    blob: blob, space: space, chunk: nil,
                    byteCount: Int64(BlobManifest.encodedByteCount(forSize: wish.size)))
            case .open(var waiting, let missing):
                guard let chunk = waiting.popLast() else { continue }
                enter(blob, .open(waiting: waiting, missing: missing))
                return Part(
                    blob: blob, space: space, chunk: chunk,
                    byteCount: min(Int64(BlobManifest.chunkBytes(forSize: wish.size)), wish.size))
            case .closed, .opening, .nameless, .finishing: continue
            }
        }
        openMore(for: partner, onlyUrgent: false, &actions)
        return nil
    }

    /// Opens the most urgent files that this peer may have, as many as may be; for what somebody waits for there is
    /// always some room.
    private mutating func openMore(for partner: Partner, onlyUrgent: Bool, _ actions: inout [Action]) {
        for blob in ranking {
            guard let item = items[blob], item.wish.isUrgent || !onlyUrgent else { return }
            let maximum = BlobPolicyLimits.openFiles * (item.wish.isUrgent ? 2 : 1)
            guard active.count < maximum else { return }
            guard !active.contains(blob), item.restsUntil <= now, mayHave(partner, blob) else { continue }
            enter(blob, .opening)
            actions.append(.open(blob))
        }
    }

    private static func isBefore(_ a: Wish, _ b: Wish) -> Bool {
        (a.isUrgent ? 0 : 1, a.size, a.blob) < (b.isUrgent ? 0 : 1, b.size, b.blob)
    }

    /// A part that a much slower peer was asked for, when there is nothing else left to do.
    private mutating func takeOver(for peer: Peer, _ partner: Partner, _ actions: inout [Action]) -> Part? {
        let slower = orders.filter { _, order in
            order.peer != peer && mayHave(partner, order.part.blob)
                && partner.spaces.contains(order.part.space)
                && (partners[order.peer]?.window ?? 0) * BlobPolicyLimits.muchFaster <= partner.window
        }
        guard let (id, order) = slower.min(by: { $0.key < $1.key }) else { return nil }
        actions.append(.cancel(order.peer, id))
        orders[id] = nil
        return order.part
    }
}
