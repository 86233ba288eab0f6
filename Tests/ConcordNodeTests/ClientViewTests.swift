// What people see of the status, of records and of conflicts; and that nothing that peers wrote breaks out of
// it.

import ConcordAPI
import ConcordClient
import Foundation
import Testing

@Suite("Views for people")
struct ClientViewTests {
    private let finland = samplePeer(
        "FIN", "Finland", node: "helsinki", state: .unreachable, theyLack: 218, weLack: nil,
        heard: "2026-11-13T08:00:00.000Z", road: .init(kind: "none"),
        error: .init(code: "E-3015", message: "no route to host", at: "2026-11-22T11:58:00.000Z"))

    // MARK: Status

    @Test("the status shows the verdict, what needs attention, the facts and the peers, the worst first")
    func wholeStatus() {
        let status = sampleStatus(
            [samplePeer("ARG", "Argentina", node: "ba-1"), finland],
            verdict: .needsAPerson,
            attention: [
                .init(
                    code: "E-3015", severity: .degraded, member: "FIN",
                    message: "Finland, helsinki: not reached",
                    action: "concord explain E-3015"),
                .init(
                    code: "E-1006", severity: .person, member: nil, message: "3 conflicts to settle in WPS",
                    action: "concord conflicts"),
            ])
        #expect(
            StatusView(status).lines() == [
                "Spain · ESP · node madrid · 3f2a·c21e                             concord 0.1.0, protocol 0, up 12 d",
                "In step with 1 of 2 members. 2 things need attention.",
                "",
                "ATTENTION",
                "  ~ 3 conflicts to settle in WPS (E-1006)                                 → concord conflicts",
                "  ! FIN  Finland, helsinki: not reached                                   → concord explain E-3015",
                "",
                "OUR CHANGES   last 1184 · held by all up to 966 · 4 210 held in all",
                "DATA          contacts 1 312 · meetings 207 · documents 88",
                "              database 63 MB · disk free 212 GB",
                "SAFETY        backup today 02:10 UTC, verified · digest 5c1e·77a0, equal on 1 ·",
                "              certificate good for 1 095 days",
                "",
                "MEMBER         NODE      ROAD    HEARD    THEY LACK  WE LACK     RTT  REACH     NOTE",
                "FIN Finland    helsinki  –       9 d 4 h        218        ?       –  ........  unreachable E-3015",
                "ARG Argentina  ba-1      direct  4 s              ·        ·  231 ms  ########",
            ])
    }

    @Test("a status read from the files of a stopped daemon says so")
    func stopped() {
        let lines = StatusView(sampleStatus([], verdict: .needsAPerson, uptime: nil)).lines()
        #expect(lines[0].hasSuffix("not reached"))
        #expect(lines[1].hasPrefix("The daemon cannot be reached."))
    }

    @Test("beyond some rows, the rest is counted unless all is asked for")
    func manyPeers() {
        let peers = (10..<60).map { samplePeer("M\($0)", "Member \($0)") }
        let short = StatusView(sampleStatus(peers)).lines()
        #expect(short.last == "… and 38 more, 38 of them in step → concord status --all")
        let long = StatusView(sampleStatus(peers), showsAll: true).lines()
        #expect(long.contains { $0.hasPrefix("M59 Member 59") })
    }

    @Test("an integrity failure stands in the first two lines")
    func integrity() {
        let item = StatusDocument.Attention(
            code: "E-3016", severity: .integrity, member: nil, message: "states differ", action: nil)
        let lines = StatusView(sampleStatus([], verdict: .integrityFailure, attention: [item])).lines()
        #expect(lines[1].hasPrefix("INTEGRITY FAILURE."))
        #expect(
            lines.contains { $0.hasPrefix(" !! states differ") && $0.hasSuffix("→ concord explain E-3016") })
    }

    @Test("nothing that peers wrote breaks out of the status, and no line is too long", arguments: 0..<100)
    func hostileStatus(seed: Int) {
        var random = ClientSeed(state: UInt64(seed))
        let pieces = ["a", "Finland", " ", "\u{1b}[2J", "\n", "\u{202e}", "北", "é", "\u{9b}", "·", "\r", "👍"]
        func text() -> String {
            (0..<Int.random(in: 0...60, using: &random)).map { _ in pieces.randomElement(using: &random)! }
                .joined()
        }
        let states: [StatusDocument.Peer.State] = [
            .connected, .refused, .silent, .unreachable, .paused, .connecting,
        ]
        let peers = (0..<4).map { _ in
            samplePeer(
                text(), text(), node: text(), state: states.randomElement(using: &random)!,
                theyLack: Bool.random(using: &random) ? nil : 12, road: .init(kind: "relay", via: text()),
                address: text(), error: .init(code: text(), message: text(), at: text()))
        }
        let attention = (0..<3).map { _ in
            StatusDocument.Attention(
                code: text(), severity: .person, member: text(), message: text(),
                action: Bool.random(using: &random) ? nil : text())
        }
        let status = sampleStatus(peers, attention: attention, spaceName: text())
        for line in StatusView(status, showsAll: true).lines() {
            #expect(TerminalText.escaped(line) == line)
            #expect(TerminalText.width(line) <= 100, "\(line)")
        }
    }

    // MARK: In step

    @Test("everybody is in step when each member has a node that lacks nothing, on either side")
    func inStep() {
        func settled(_ peers: [StatusDocument.Peer]) -> Bool {
            StepSummary.isInStep(sampleStatus(peers), with: nil)
        }
        let ready = samplePeer("ARG")
        #expect(settled([]))
        #expect(settled([ready]))
        #expect(settled([ready, samplePeer("ARG", node: "old", state: .unreachable)]))
        #expect(!settled([ready, samplePeer("FIN", theyLack: 1)]))
        #expect(!settled([ready, samplePeer("FIN", weLack: 1)]))
        #expect(!settled([ready, samplePeer("FIN", theyLack: nil)]))
        #expect(!settled([ready, finland]))
        #expect(!settled([ready, samplePeer("FIN", state: .paused)]))
    }

    @Test(
        "members known only through others do not stand in the way, unless nobody was met or one may answer yet"
    )
    func indirect() {
        func settled(_ peers: [StatusDocument.Peer]) -> Bool {
            StepSummary.isInStep(sampleStatus(peers), with: nil)
        }
        let stranger = samplePeer(nil, state: .unreachable)
        #expect(settled([samplePeer("ARG"), sampleUnmetPeer("FIN")]))
        #expect(!settled([sampleUnmetPeer("FIN")]))
        #expect(!settled([samplePeer("ARG"), sampleUnmetPeer("FIN"), stranger]))
        #expect(settled([samplePeer("ARG"), stranger]))
        #expect(!settled([samplePeer("ARG"), samplePeer(nil, state: .connecting)]))
    }

    @Test("a member that is asked for by its code must be known to be in step")
    func inStepWith() {
        let status = sampleStatus([samplePeer("ARG"), sampleUnmetPeer("FIN"), samplePeer("DEU", theyLack: 3)])
        #expect(StepSummary.isInStep(status, with: "ARG"))
        #expect(!StepSummary.isInStep(status, with: "FIN"))
        #expect(!StepSummary.isInStep(status, with: "DEU"))
        #expect(!StepSummary.isInStep(status, with: "XXX"))
    }

    @Test(
        "each verdict has its exit code",
        arguments: [
            (StatusDocument.Verdict.inStep, 0 as Int32), (.degraded, 4), (.needsAPerson, 5),
            (.integrityFailure, 6),
        ])
    func exitCodes(verdict: StatusDocument.Verdict, code: Int32) {
        #expect(sampleStatus([], verdict: verdict).exitCode == code)
    }

    // MARK: Records

    @Test("a list shows short ids that tell its records apart, and marks conflicts")
    func list() {
        let lines = RecordView().table(
            [
                sampleContact(conflicted: true),
                sampleContact(id: "019ab2c3-0000-7000-8000-000000000102", name: "Bo\u{1b}"),
            ], kind: "contact")
        #expect(lines[0].hasPrefix("ID"))
        #expect(lines[1].hasPrefix("019ab2c3-0000-7000-8000-0000000000  Ana"))
        #expect(lines[1].hasSuffix("conflict: position"))
        #expect(lines[2].contains("Bo\\u{1b}"))
        #expect(lines.allSatisfy { TerminalText.width($0) <= 100 })
        #expect(RecordView().table([], kind: "contact") == ["none"])
    }

    @Test("ids of one import are cut to one length, and titles have room before lesser columns")
    func wideList() {
        let title = "Meeting of the working party on the protection of cultural heritage"
        let meetings = (0..<20).map { number in
            var record = sampleContact(
                id: "01a2023d-2e77-7000-9\(String(format: "%03x", number * 200))-0000000000\(number + 10)",
                name: title)
            record.kind = "meeting"
            record.fields = [
                "title": .string(title), "kind": .string("plenary"), "starts": .string("2017-05-24"),
                "city": .string("Alicante"), "country": .string("ESP"), "status": .string("confirmed"),
            ]
            return record
        }
        let lines = RecordView().table(meetings, kind: "meeting")
        #expect(lines[0].split(separator: " ") == ["ID", "TITLE", "KIND", "STARTS", "CITY"])
        for line in lines {
            #expect(TerminalText.width(line) <= 100)
            let id = line.prefix { $0 != " " }
            #expect(line == lines[0] || (id.count == 26 && id.last != "-"), "\(line)")
        }
        #expect(Set(lines.dropFirst().map { $0.prefix(26) }).count == 20)
        #expect(lines[1].contains("Meeting of the working party on the pro"))
        let wide = RecordView(style: TextStyle(usesColor: false, columns: 160)).table(
            meetings, kind: "meeting")
        #expect(wide[0].hasSuffix("STATUS     OWNER"))
        #expect(wide[1].contains(title))
    }

    @Test(
        "a record shows its fields in the order of the vocabulary, and each value of a conflict with its author"
    )
    func record() {
        let lines = RecordView().lines(
            RecordDetailDocument(record: sampleContact(conflicted: true), children: []))
        #expect(
            lines == [
                "Ana",
                "contact 019ab2c3-0000-7000-8000-000000000001 · owner ESP · version 0123456789abcdef",
                "created 2026-11-22 10:00 · updated 2026-11-22 11:00 UTC",
                "",
                "  name      Ana",
                "  position  adviser   in conflict, see below",
                "  areas     mediation",
                "",
                "  position has 2 concurrent values",
                "  TAKE  VALUE            MEMBER  BY           WHEN (UTC)",
                "     1  adviser (shown)  ESP     root at esp  2026-11-22 11:00",
                "     2  director         DEU     root at deu  2026-11-22 11:00",
                "  → concord resolve 019ab2c3-0000-7000-8000-000000000001 position --take N, or --value …",
            ])
    }

    @Test("a text of several lines stays in its column, and cannot forge fields or move the cursor")
    func lines() {
        var record = sampleContact()
        record.fields = ["notes": .string("first\n\u{1b}[1Asecond")]
        let lines = RecordView().lines(RecordDetailDocument(record: record, children: []))
        #expect(Array(lines.suffix(2)) == ["  notes     first", "            \\u{1b}[1Asecond"])
    }

    @Test("the log names who, when and what, and what the rules refused")
    func log() {
        let change = LogDocument(
            dot: "00112233445566778899aabbccddeeff:7", hash: "", space: "", member: "DEU", node: "berlin",
            author: "anna", at: "2026-11-22T11:00:00.000Z", effective: true,
            operations: [
                .init(
                    operation: "set", record: "019ab2c3", kind: "contact", field: "name",
                    value: .string("A\nB"),
                    allowed: false)
            ])
        #expect(
            LogView.lines(LogListDocument(changes: [change])) == [
                "2026-11-22 11:00 UTC  DEU berlin (anna)  00112233:7",
                "    set contact 019ab2c3  name = A\\nB  refused by the rules",
            ])
    }

    @Test("verification that fails says so first and lists every problem")
    func verification() {
        let bad = VerifyDocument(
            changes: 10, records: 2, spaces: [],
            problems: [
                .init(code: "E-3004", message: "does not follow", space: "5c1e77a0", dot: "ab:3", record: nil)
            ])
        #expect(
            VerifyView.lines(bad) == [
                "DOES NOT VERIFY: 1 problem in 10 changes and 2 records.", "  ! E-3004 ab:3 does not follow",
            ])
        let good = VerifyDocument(changes: 1, records: 1, spaces: [], problems: [])
        #expect(
            VerifyView.lines(good) == [
                "Verified: signatures, chains and visible state of 1 change and 1 record."
            ])
    }
}
