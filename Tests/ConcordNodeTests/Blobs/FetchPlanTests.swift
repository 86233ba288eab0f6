// Which file is fetched from whom: against peers that have all, part or nothing, that lie, that fall silent, that go.

import ConcordCrypto
import ConcordModel
import ConcordSync
import Testing

@testable import ConcordNode

private let space = SpaceID(SHA256.hash([1]))
private let otherSpace = SpaceID(SHA256.hash([2]))
private func blob(_ number: UInt8) -> BlobID { BlobID(SHA256.hash([3, number])) }
private func node(_ number: UInt8) -> NodeID { NodeID(SHA256.hash([4, number])) }

/// A plan, and a disk and peers that do as they are told.
private struct Scene {
    var plan = FetchPlan()
    var now: Milliseconds = 1000
    var orders: [BlobOrder.ID: (peer: UInt64, part: FetchPlan.Part)] = [:]
    var chunks: [BlobID: Int] = [:]
    var manifests: Set<BlobID> = []
    var finished: [BlobID] = []
    var closed: [BlobID] = []
    var cancelled: [UInt64] = []
    var windows: [UInt64: Int] = [:]
    private var pending: [FetchPlan.Action] = []
    private var isCarrying = false
    /// How many parts came from which peer.
    var given: [UInt64: Int] = [:]

    mutating func wish(_ wishes: [FetchPlan.Wish]) {
        for wish in wishes {
            chunks[wish.blob] = BlobManifest.chunkCount(
                size: wish.size, chunkBytes: BlobManifest.chunkBytes(forSize: wish.size))
        }
        carryOut(plan.wish(for: wishes, now: now))
    }

    mutating func connect(_ peer: UInt64, window: Int = 1 << 20, spaces: [SpaceID] = [space]) {
        windows[peer] = window
        carryOut(plan.connected(peer, node: node(UInt8(peer)), spaces: spaces))
        carryOut(plan.room(window, window: window, after: 0, at: peer, now: now))
    }

    mutating func carryOut(_ actions: [FetchPlan.Action]) {
        pending += actions
        guard !isCarrying else { return }
        isCarrying = true
        defer { isCarrying = false }
        while !pending.isEmpty {
            switch pending.removeFirst() {
            case .open(let blob):
                let missing = manifests.contains(blob) ? Array(0..<(chunks[blob] ?? 0)) : nil
                carryOut(plan.opened(blob, missing: missing))
            case .close(let blob): closed.append(blob)
            case .fetch(let peer, let id, let part):
                #expect(orders.values.allSatisfy { $0.part != part }, "a part is ordered twice")
                orders[id] = (peer, part)
            case .cancel(_, let id):
                orders[id] = nil
                cancelled.append(id)
            case .finish(let blob):
                finished.append(blob)
                carryOut(plan.finished(blob))
            }
        }
    }

    /// An order is fulfilled, and its session asks for more.
    mutating func complete(_ id: BlobOrder.ID) {
        guard let (peer, part) = orders.removeValue(forKey: id) else { return }
        given[peer, default: 0] += 1
        if part.chunk == nil {
            manifests.insert(part.blob)
            carryOut(plan.completed(id, now: now))
            carryOut(plan.opened(part.blob, missing: Array(0..<(chunks[part.blob] ?? 0))))
        } else {
            carryOut(plan.completed(id, now: now))
        }
        askForMore(peer)
    }

    mutating func askForMore(_ peer: UInt64) {
        let last = (orders.filter { $0.value.peer == peer }.keys.max()) ?? lastOrders[peer] ?? 0
        lastOrders[peer] = max(lastOrders[peer] ?? 0, last)
        guard let window = windows[peer] else { return }
        carryOut(plan.room(window, window: window, after: lastOrder(of: peer), at: peer, now: now))
    }

    var lastOrders: [UInt64: UInt64] = [:]
    private func lastOrder(of peer: UInt64) -> UInt64 {
        max(lastOrders[peer] ?? 0, orders.filter { $0.value.peer == peer }.keys.max() ?? 0)
    }

    /// Fulfils all orders until there are none.
    mutating func run() {
        while let id = orders.keys.min() {
            if let peer = orders[id]?.peer { lastOrders[peer] = lastOrder(of: peer) }
            complete(id)
        }
    }
}

private func wish(_ number: UInt8, chunks: Int64 = 3, urgent: Bool = false) -> FetchPlan.Wish {
    FetchPlan.Wish(blob: blob(number), size: chunks << 18, spaces: [space], isUrgent: urgent)
}

@Suite("The plan of fetching")
struct FetchPlanTests {
    @Test("a file comes from one peer: its manifest first, then every chunk once")
    func one() {
        var scene = Scene()
        scene.wish([wish(1)])
        #expect(scene.orders.isEmpty)
        scene.connect(1)
        #expect(scene.orders.values.map(\.part.chunk) == [nil])
        scene.run()
        #expect(scene.finished == [blob(1)])
        #expect(scene.given == [1: 4])
        #expect(scene.plan.wishes.isEmpty)
    }

    @Test("chunks are spread over fast peers, and small files come first")
    func several() {
        var scene = Scene()
        scene.wish([wish(1, chunks: 40), wish(2, chunks: 1)])
        scene.manifests = [blob(1), blob(2)]
        for peer: UInt64 in 1...3 { scene.connect(peer, window: 512 << 10) }
        #expect(Set(scene.orders.values.map(\.peer)) == [1, 2, 3])
        scene.run()
        #expect(scene.finished == [blob(2), blob(1)])
        #expect(scene.given.values.reduce(0, +) == 41)
    }

    @Test("what somebody waits for goes before everything else")
    func urgency() {
        var scene = Scene()
        scene.wish([wish(1, chunks: 1), wish(2, chunks: 9, urgent: true)])
        scene.manifests = [blob(1), blob(2)]
        scene.connect(1, window: 1)
        #expect(scene.orders.values.map(\.part.blob) == [blob(2)])
    }

    @Test("of slow peers one at a time is asked, in turn")
    func slow() {
        var scene = Scene()
        scene.wish([wish(1, chunks: 6)])
        scene.manifests = [blob(1)]
        for peer: UInt64 in 1...3 { scene.connect(peer, window: 4096) }
        #expect(scene.orders.count == 1)
        scene.run()
        #expect(scene.given == [1: 2, 2: 2, 3: 2])
    }

    @Test("a peer that lacks a file is not asked again before it has it, and others are")
    func lacking() throws {
        var scene = Scene()
        scene.wish([wish(1, chunks: 1)])
        scene.manifests = [blob(1)]
        scene.connect(1)
        let id = try #require(scene.orders.keys.first)
        scene.orders[id] = nil
        scene.carryOut(scene.plan.lacking(id, now: scene.now))
        #expect(scene.orders.isEmpty)
        scene.carryOut(scene.plan.holding(blob(1), at: 1))
        scene.lastOrders[1] = id
        scene.askForMore(1)
        #expect(scene.orders.count == 1)
    }

    @Test("when nobody has a file it is closed, and tried again later")
    func nobody() throws {
        var scene = Scene()
        scene.wish([wish(1, chunks: 1)])
        scene.manifests = [blob(1)]
        scene.connect(1)
        let id = try #require(scene.orders.keys.first)
        scene.orders[id] = nil
        scene.carryOut(scene.plan.lacking(id, now: scene.now))
        scene.carryOut(scene.plan.tick(now: scene.now + 1000))
        #expect(scene.closed == [blob(1)])
        scene.lastOrders[1] = id
        scene.now += BlobPolicyLimits.retry + 1
        scene.carryOut(scene.plan.tick(now: scene.now))
        scene.askForMore(1)
        #expect(scene.orders.count == 1)
    }

    @Test("what a peer that goes was asked for is asked of others")
    func leaving() {
        var scene = Scene()
        scene.wish([wish(1, chunks: 4)])
        scene.manifests = [blob(1)]
        scene.connect(1)
        #expect(scene.orders.count == 4)
        scene.orders = [:]
        scene.carryOut(scene.plan.disconnected(1))
        scene.connect(2)
        #expect(scene.orders.values.allSatisfy { $0.peer == 2 })
        scene.run()
        #expect(scene.finished == [blob(1)])
    }

    @Test("a node that gave wrong bytes is not asked for the file for an hour, nor after 16 files for any")
    func distrust() throws {
        var scene = Scene()
        scene.wish((1...20).map { wish($0, chunks: 1) })
        scene.manifests = Set((1...20).map { blob($0) })
        scene.connect(1, window: 8 << 20)
        var refused: Set<BlobID> = []
        while let (id, order) = scene.orders.min(by: { $0.key < $1.key }) {
            #expect(refused.insert(order.part.blob).inserted, "asked again")
            scene.orders[id] = nil
            scene.carryOut(scene.plan.refused(id, isToBlame: true, now: scene.now))
            scene.lastOrders[1] = max(scene.lastOrders[1] ?? 0, id)
            scene.askForMore(1)
        }
        #expect(refused.count >= 16 && refused.count <= 20)
        scene.connect(2)
        scene.run()
        #expect(scene.finished.count == 20)
        #expect(scene.given[1] == nil)
    }

    @Test("an order of which nothing comes goes to another peer")
    func stalling() {
        var scene = Scene()
        scene.wish([wish(1, chunks: 1)])
        scene.manifests = [blob(1)]
        scene.connect(1)
        scene.carryOut(scene.plan.tick(now: scene.now + BlobPolicyLimits.stall))
        #expect(scene.cancelled.isEmpty, "there is nobody else")
        scene.connect(2)
        scene.now += BlobPolicyLimits.stall
        scene.carryOut(scene.plan.tick(now: scene.now))
        #expect(scene.orders.values.map(\.peer) == [2])
    }

    @Test("a much faster peer takes over the last chunk of a slow one")
    func takingOver() {
        var scene = Scene()
        scene.wish([wish(1, chunks: 1)])
        scene.manifests = [blob(1)]
        scene.connect(1, window: 4096)
        #expect(scene.orders.values.map(\.peer) == [1])
        scene.connect(2, window: 1 << 20)
        #expect(scene.orders.values.map(\.peer) == [2])
        #expect(scene.cancelled.count == 1)
    }

    @Test("a file is asked for only where a record of a shared space names it")
    func spaces() {
        var scene = Scene()
        scene.wish([wish(1, chunks: 1)])
        scene.connect(1, spaces: [otherSpace])
        #expect(scene.orders.isEmpty)
        scene.connect(2)
        #expect(scene.orders.values.map(\.part.space) == [space])
    }

    @Test("what is wished for no more is cancelled and closed")
    func dropping() {
        var scene = Scene()
        scene.wish([wish(1), wish(2)])
        scene.manifests = [blob(1), blob(2)]
        scene.connect(1, window: 8 << 20)
        #expect(scene.orders.count == 6)
        scene.wish([wish(2)])
        #expect(scene.cancelled.count == 3)
        #expect(scene.closed == [blob(1)])
        scene.run()
        #expect(scene.finished == [blob(2)])
    }

    @Test("a disk that takes nothing is left alone for a while")
    func resting() {
        var scene = Scene()
        scene.wish([wish(1, chunks: 1)])
        scene.manifests = [blob(1)]
        scene.connect(1)
        let id = scene.orders.keys.max() ?? 0
        scene.carryOut(scene.plan.failed(blob(1), now: scene.now))
        scene.lastOrders[1] = id
        scene.askForMore(1)
        #expect(scene.orders.isEmpty)
        scene.now += BlobPolicyLimits.retry
        scene.carryOut(scene.plan.tick(now: scene.now))
        #expect(scene.orders.count == 1)
    }

    @Test("thousands of wishes are looked through in no time, and few files are open at once")
    func many() {
        var scene = Scene()
        scene.wish(
            (0..<1000).map { number in
                FetchPlan.Wish(
                    blob: BlobID(SHA256.hash([UInt8(number & 255), UInt8(number >> 8)])), size: 100,
                    spaces: [space])
            })
        scene.connect(1, window: 4 << 20)
        let began = ContinuousClock.now
        scene.run()
        #expect(scene.finished.count == 1000)
        #expect(ContinuousClock.now - began < .seconds(60))
    }
}
