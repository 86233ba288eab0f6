// What a session does with a peer that breaks the rules: it says why, ends, and everything after is ignored.

import ConcordCrypto
import ConcordModel
import ConcordSync
import SyncSupport
import Testing

@Suite("A peer that breaks the rules")
struct MisuseTests {
    private let space = testSpace(1)
    private let summary = Summary(heldHash: SHA256.hash([]), digest: nil, changeCount: 0)

    @Test(
        "whatever comes before a hello ends the session",
        arguments: [
            Message.ping(1),
            .summary(testSpace(1), Summary(heldHash: SHA256.hash([]), digest: nil, changeCount: 0)),
            .changes(testSpace(1), [testRun()]), .ignored(type: 90),
        ])
    func beforeHello(message: Message) {
        var probe = Probe()
        probe.say(message)
        probe.expectEnd(.unexpectedMessage)
    }

    @Test("garbage ends the session, at any time")
    func garbage() {
        for prepared in [false, true] {
            for garbage: [UInt8] in [
                [], [0xff, 0, 1], Array("GET / HTTP/1.1\r\n\r\n".utf8), [0x84, 5, 1, 2],
            ] {
                var probe = Probe()
                if prepared { probe.startStreaming() }
                probe.feed(.frame(garbage))
                probe.expectEnd(.malformedFrame)
            }
        }
    }

    @Test("a frame beyond the limit ends the session")
    func oversized() {
        var probe = Probe()
        probe.startStreaming()
        probe.feed(.frame([UInt8](repeating: 0x83, count: SyncLimits.frameBytes + 1)))
        probe.expectEnd(.limitExceeded)
    }

    @Test("no level in common, no space in common and ourselves are refused")
    func refusals() {
        var probe = Probe()
        probe.say(Probe.hello(levels: 1...7))
        probe.expectEnd(.protocolVersion, .refuse)
        probe = Probe()
        probe.say(Probe.hello([testSpace(2)]))
        probe.expectEnd(.nothingInCommon, .refuse)
        probe = Probe()
        probe.say(Probe.hello(incarnation: 1))
        probe.expectEnd(.duplicateConnection, .refuse)
        probe = Probe()
        probe.say(Probe.hello(levels: 0...7))
        #expect(probe.end == nil)
    }

    @Test("messages about a space that is not exchanged end the session")
    func unknownSpace() {
        for message: Message in [
            .summary(testSpace(9), summary), .vector(testSpace(9), []),
            .changes(testSpace(9), [testRun()]), .acknowledge(testSpace(9), VersionVector()),
        ] {
            var probe = Probe()
            probe.startStreaming()
            probe.say(message)
            probe.expectEnd(.unknownSpace)
        }
    }

    @Test("messages in the wrong order end the session")
    func wrongOrder() {
        let cases: [(String, [Message])] = [
            ("vector before summary", [.vector(space, [])]),
            ("changes before summary", [.changes(space, [testRun()])]),
            ("acknowledgement before summary", [.acknowledge(space, VersionVector())]),
            ("changes before vector", [.summary(space, summary), .changes(space, [testRun()])]),
            (
                "acknowledgement before vector",
                [.summary(space, summary), .acknowledge(space, VersionVector())]
            ),
            ("summary instead of vector", [.summary(space, summary), .summary(space, summary)]),
            (
                "vector twice",
                [.summary(space, summary), .vector(space, []), .vector(space, [])]
            ),
            ("a pong that nobody asked for", [.pong(77)]),
            ("another hello of another process", [Probe.hello(incarnation: 3)]),
        ]
        for (comment, messages) in cases {
            var probe = Probe()
            probe.say(Probe.hello())
            for message in messages { probe.say(message) }
            #expect(probe.end?.code == ErrorCode.unexpectedMessage.rawValue, "\(comment)")
            #expect(probe.end?.faultClass == .fault, "\(comment)")
        }
    }

    @Test("a space that was taken back cannot be announced again")
    func returningSpace() {
        var probe = Probe(spaces: [testSpace(1), testSpace(2)])
        probe.say(
            Probe.hello([testSpace(1), testSpace(2)]), Probe.hello(),
            Probe.hello([testSpace(1), testSpace(2)]))
        probe.expectEnd(.unexpectedMessage)
        probe = Probe(spaces: [testSpace(1), testSpace(2)])
        probe.say(Probe.hello([testSpace(1), testSpace(2)]))
        let first = [SpaceHead(space: testSpace(1))]
        probe.feed(.spacesChanged(first))
        #expect(probe.end == nil)
        probe.say(.summary(testSpace(2), summary))
        #expect(probe.end == nil, "what crossed the withdrawal is dropped")
        probe.feed(.spacesChanged(first + [SpaceHead(space: testSpace(2))]))
        probe.expectEnd(.unexpectedMessage, .retry)
    }

    @Test("more than the window, unacknowledged, ends the session")
    func flood() {
        var probe = Probe()
        probe.startStreaming()
        for sequence in 1...12 as ClosedRange<UInt64> {
            probe.say(.changes(space, [testRun(sequence, bytes: 200_000)]))
        }
        probe.expectEnd(.limitExceeded)
        let applied = probe.effects.count { if case .apply = $0 { true } else { false } }
        #expect(applied * 200_000 <= SyncLimits.windowBytes)
    }

    @Test("a run that the store rejects is reported to the peer and ends the session")
    func rejected() {
        var probe = Probe()
        probe.startStreaming()
        probe.say(.changes(space, [testRun()]))
        probe.feed(
            .applied(
                space,
                ReceiveOutcome(
                    durable: VersionVector(), applied: 0, heldBack: 0,
                    refusal: ConcordError(.badSignature, "the signature of a run does not verify"))))
        probe.expectEnd(.badSignature)
        #expect(!probe.sent.contains { if case .acknowledge = $0 { true } else { false } })
    }

    @Test("our own store's failure ends the session, and the peer learns no more than its kind")
    func storeFails() {
        var probe = Probe()
        probe.startStreaming()
        probe.feed(.storeFailed(space, ConcordError(.diskFull, "/srv/secret/place is full")))
        probe.expectEnd(.diskFull, .retry)
        guard case .error(_, _, let sentence)? = probe.sent.last else { return }
        #expect(!sentence.string.contains("secret"))
    }

    @Test("an acknowledgement of what was never sent is not believed")
    func inventedAcknowledgement() {
        var probe = Probe()
        probe.startStreaming()
        probe.say(.acknowledge(space, VersionVector([Dot(testReplica(1), 900), Dot(testReplica(5), 3)])))
        #expect(probe.end == nil)
        #expect(probe.alarms == [.ourReplicaElsewhere])
        let progress = probe.effects.compactMap { effect -> Progress? in
            if case .progress(_, let progress) = effect { progress } else { nil }
        }
        #expect(progress.last?.weLack == 0)
        probe.replica.write(1, payload: 5)
        probe.effects = []
        let position = probe.replica.position
        probe.feed(.advanced(space, position: position, held: probe.replica.vector))
        probe.feed(
            .slice(space, probe.replica.slice(after: 0, excluding: VersionVector(), maximumBytes: 1_000)))
        let changes = probe.sent.compactMap { message -> [ChangeRun]? in
            if case .changes(_, let runs) = message { runs } else { nil }
        }
        #expect(changes.joined().contains { $0.lastSequence == 3 }, "a new change is sent all the same")
    }

    @Test("who asks for changes of more chains than there can be is sent away")
    func endlessWants() {
        var probe = Probe()
        probe.startStreaming()
        for part in 0..<3 where probe.end == nil {
            let spans = (1...8_000).map {
                ChainSpan(chain: testReplica(10_000 + part * 8_000 + $0), from: 0, upTo: 5)
            }
            probe.say(.want(space, spans))
        }
        probe.expectEnd(.limitExceeded)
    }

    @Test("an order that comes after a later one says nothing but what is to be asked for")
    func lateOrder() {
        var probe = Probe()
        probe.startStreaming()
        func order(_ number: UInt64, _ mode: FlowMode) -> SessionInput {
            var order = IntakeOrder()
            (order.number, order.mode) = (number, mode)
            return .intake(space, order)
        }
        probe.feed(order(7, .announce))
        probe.feed(order(6, .hold))
        let modes = probe.sent.compactMap { message -> FlowMode? in
            if case .flow(_, let mode, _) = message { mode } else { nil }
        }
        #expect(modes == [.announce])
    }

    @Test("what is acknowledged beyond what the peer has shown is announced to it all the same")
    func acknowledgedBeyond() {
        var probe = Probe()
        probe.startStreaming()
        probe.say(.flow(space, .announce, VersionVector()), .changes(space, [testRun(1)]))
        // Changes 2 and 3 came from somebody else meanwhile.
        let held = VersionVector([Dot(testReplica(1), 2), Dot(testReplica(2), 3)])
        probe.feed(.advanced(space, position: 5, held: held))
        probe.feed(
            .applied(
                space,
                ReceiveOutcome(
                    durable: VersionVector([Dot(testReplica(2), 3)]), applied: 1, heldBack: 0, refusal: nil)))
        for _ in 0..<10 {
            probe.now += 200
            probe.feed(.tick)
        }
        let announced = probe.sent.compactMap { message -> UInt64? in
            if case .announce(_, let vector) = message { vector[testReplica(2)] } else { nil }
        }
        #expect(announced == [3], "the peer believes an acknowledgement only of what it has")
    }

    @Test("a peer that claims more of our replica than we have raises the alarm")
    func clonedReplica() {
        var probe = Probe()
        probe.say(
            Probe.hello(), .summary(space, summary), .vector(space, [testHead(testReplica(1), 7)]))
        #expect(probe.alarms == [.ourReplicaElsewhere])
        #expect(probe.retired == [testReplica(1)])
        #expect(probe.end == nil)
    }

    @Test("a peer that knows another change than ours of our own replica has met a copy of it")
    func ownFork() {
        var probe = Probe()
        probe.say(
            Probe.hello(), .summary(space, summary), .vector(space, [testHead(testReplica(1), 2)]))
        #expect(probe.alarms == [.ourReplicaElsewhere])
        #expect(probe.retired == [testReplica(1)])
        #expect(probe.end == nil)
    }

    @Test("a connection that takes nothing gets nothing: acknowledgements and pongs wait and are one each")
    func notWritable() {
        var probe = Probe()
        probe.startStreaming()
        probe.feed(.writable(false))
        probe.effects = []
        for sequence in 1...5 as ClosedRange<UInt64> {
            probe.say(.changes(space, [testRun(sequence)]), .ping(sequence))
            probe.feed(
                .applied(
                    space,
                    ReceiveOutcome(
                        durable: VersionVector([Dot(testReplica(2), sequence)]), applied: 1, heldBack: 0,
                        refusal: nil)))
        }
        probe.feed(.tick)
        #expect(probe.sent.isEmpty)
        probe.feed(.writable(true))
        let acknowledged = Message.acknowledge(space, VersionVector([Dot(testReplica(2), 5)]))
        #expect(probe.sent.count { $0 == acknowledged } == 1)
        #expect(probe.sent.count { $0.type == 4 } == 1)
        #expect(probe.sent.filter { $0.type == 8 } == [.pong(5)])
    }

    @Test("a silent peer is asked, then given up")
    func silent() {
        var probe = Probe()
        probe.startStreaming()
        let start = probe.now
        while probe.end == nil, let deadline = probe.session.deadline {
            #expect(deadline > probe.now, "a deadline that does not move")
            probe.now = deadline
            probe.feed(.tick)
        }
        probe.expectEnd(.peerSilent, .retry)
        #expect(probe.now == start + 45_000)
        probe = Probe()
        probe.now += 45_000
        probe.feed(.tick)
        probe.expectEnd(.peerSilent, .retry)
    }

    @Test("changes that are received and never acknowledged end the session for a new one")
    func neverAcknowledged() {
        var probe = Probe()
        probe.startStreaming()
        probe.feed(
            .slice(space, probe.replica.slice(after: 0, excluding: VersionVector(), maximumBytes: 1_000)))
        var answered = 0
        while probe.end == nil, probe.now < 10_000_000 {
            while answered < probe.sent.count {
                if case .ping(let nonce) = probe.sent[answered] { probe.say(.pong(nonce)) }
                answered += 1
            }
            probe.now = probe.session.deadline ?? .max
            probe.feed(.tick)
        }
        probe.expectEnd(.missingDependency, .retry)
    }

    @Test("the peer's error and goodbye end the session, their sentences without control characters")
    func endedByPeer() {
        var probe = Probe()
        probe.say(.error(code: "E-9999", faultClass: .refuse, sentence: "no\u{1b}[2J way"))
        #expect(probe.end == nil || probe.end?.sentence == "no [2J way")
        #expect(probe.end?.code == "E-9999" && probe.end?.faultClass == .refuse && probe.end?.byPeer == true)
        probe = Probe()
        probe.startStreaming()
        probe.say(.goodbye(code: "", sentence: "the node stops"))
        #expect(probe.end?.code == nil && probe.end?.byPeer == true && probe.end?.faultClass == .retry)
        probe.effects = []
        probe.say(.ping(1))
        probe.feed(.tick)
        #expect(probe.effects.isEmpty, "an ended session stays silent")
        #expect(probe.session.deadline == nil)
    }

    @Test("stopping says goodbye with the code")
    func stop() {
        var probe = Probe()
        probe.startStreaming()
        probe.feed(.stop(.peerPaused, "exchange is paused"))
        #expect(probe.sent.last == .goodbye(code: "E-3011", sentence: "exchange is paused"))
        #expect(probe.end?.byPeer == false)
    }
}
