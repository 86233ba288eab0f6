// Receipts reach every node of a space, each once, and no peer can do more with them than be refused.

import ConcordModel
import ConcordSync
import SyncSupport
import Testing

@Suite("Receipts between nodes")
struct ReceiptTests {
    private let space = testSpace(1)

    private func step(_ network: inout FakeNetwork) {
        for _ in 0..<6 {
            network.settle()
            network.wait(atMost: 1_100)
        }
        network.settle()
    }

    @Test("what each node holds is passed on along a chain, and the latest of a node wins")
    func passedOn() {
        var network = FakeNetwork(nodes: 3, links: [(0, 1), (1, 2)], seed: 1)
        for node in 0...2 { network.write(node) }
        _ = network.replicas[0][space]!.keep([testReceipt(0, at: 10), testReceipt(3, at: 10)])
        _ = network.replicas[1][space]!.keep([testReceipt(1, at: 10), testReceipt(3, at: 30)])
        _ = network.replicas[2][space]!.keep([testReceipt(2, at: 10), testReceipt(3, at: 20)])
        for link in 0...1 { network.connect(link) }
        step(&network)
        for node in 0...2 {
            let receipts = network.replicas[node][space]!.receipts
            #expect(receipts.count == 4)
            #expect(receipts[testReceipt(3, at: 0).node]?.timestamp == 30)
        }
        let new = network.replicas[0][space]!.keep([testReceipt(0, at: 600_010)])
        network.tell(0, .receipts(space, new))
        step(&network)
        #expect(network.replicas[2][space]!.receipts[testReceipt(0, at: 0).node]?.timestamp == 600_010)
        for link in 0...1 {
            for side in 0...1 {
                let sent = network.links[link][side].sentReceipts[space] ?? []
                #expect(sent.count == Set(sent).count, "each goes once")
                #expect(network.links[link][side].end == nil)
            }
        }
        let others = network.links[1][1].sentReceipts[space] ?? []
        #expect(!others.contains(testReceipt(0, at: 600_010)), "not back to where it came from")
    }

    @Test("nothing but summaries and receipts is said when both hold the same changes")
    func afterEqualStart() {
        var network = FakeNetwork(nodes: 2, links: [(0, 1)], seed: 2)
        network.write(0)
        network.converge("start")
        network.cut(0)
        _ = network.replicas[0][space]!.keep([testReceipt(0, at: 10)])
        network.connect(0)
        step(&network)
        #expect(network.links[0][0].sentTypes[9] == 1)
        #expect(network.links[0][0].sentTypes[3] == nil && network.links[0][0].sentTypes[2] == nil)
        #expect(network.replicas[1][space]!.receipts.count == 1)
    }

    @Test("receipts before both know what is lacking end the session")
    func tooEarly() {
        var probe = Probe()
        probe.say(Probe.hello(), .receipts(space, [testReceipt(1, at: 5)]))
        probe.expectEnd(.unexpectedMessage)
        probe = Probe()
        probe.startStreaming()
        probe.say(.receipts(testSpace(2), [testReceipt(1, space: testSpace(2), at: 5)]))
        probe.expectEnd(.unknownSpace)
    }

    @Test("only what is newer than what is known goes to the store")
    func onlyNews() {
        var probe = Probe()
        probe.startStreaming()
        probe.feed(.receipts(space, [testReceipt(1, at: 50)]))
        probe.say(
            .receipts(space, [testReceipt(1, at: 50), testReceipt(2, at: 7)]),
            .receipts(space, [testReceipt(2, at: 7)]),
            .receipts(space, [testReceipt(2, at: 6)]), .receipts(space, [testReceipt(2, at: 8)]))
        let offered = probe.effects.compactMap { effect -> [Receipt]? in
            if case .receipts(_, let receipts) = effect { receipts } else { nil }
        }
        #expect(offered.joined().map(\.timestamp) == [7, 8])
        #expect(probe.end == nil)
    }

    @Test("a flood of receipts ends the session before the store has to verify it")
    func flood() {
        var probe = Probe()
        probe.startStreaming()
        var frames = 0
        while probe.end == nil, frames < 100 {
            probe.say(.receipts(space, (0..<200).map { testReceipt($0 % 8, at: Int64(frames)) }))
            frames += 1
        }
        probe.expectEnd(.limitExceeded)
        let offered = probe.effects.reduce(0) { sum, effect in
            if case .receipts(_, let receipts) = effect { sum + receipts.count } else { sum }
        }
        #expect(offered <= SyncLimits.receiptsTaken && frames * 200 <= SyncLimits.receiptsTaken + 200)
    }

    @Test("receipts wait for the connection, and go out in small frames a second apart")
    func paced() {
        var probe = Probe()
        probe.startStreaming()
        probe.feed(.writable(false))
        probe.feed(.receipts(space, (0..<8).map { testReceipt($0, at: 5) }))
        #expect(!probe.sent.contains { $0.type == 9 })
        probe.feed(.writable(true))
        #expect(probe.sent.count { $0.type == 9 } == 1)
        probe.feed(.receipts(space, (0..<8).map { testReceipt($0, at: 6) }))
        #expect(probe.sent.count { $0.type == 9 } == 1)
        #expect(probe.session.deadline == probe.now + 1_000)
        probe.now += 1_000
        probe.feed(.tick)
        #expect(probe.sent.count { $0.type == 9 } == 2)
    }
}
