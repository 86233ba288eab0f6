import ConcordAPI
import ConcordClient
import Testing

@Suite("The roster for people")
struct MembershipViewTests {
    private func party(_ code: String, _ name: String) -> PartyDocument {
        PartyDocument(
            id: String(repeating: code.lowercased().first.map(String.init) ?? "0", count: 64), code: code,
            name: name)
    }

    private func member(
        _ code: String, _ name: String, offices: [String] = [],
        suspensions: [MembersDocument.Suspension] = []
    ) -> MembersDocument.Member {
        let id = party(code, name).id
        return .init(
            id: id, code: code, name: name, role: "member", founder: true, fingerprint: id,
            nodes: ["\(code)-1"],
            standing: suspensions.isEmpty ? "in standing" : "suspended", suspensions: suspensions,
            offices: offices, authorities: [id], formerAuthorities: [], predecessors: [], standsOn: [],
            revokedNodes: [],
            replicas: [
                .init(
                    replica: "3f2a0b11" + String(repeating: "0", count: 24), node: "\(code)-1", nodeId: "",
                    sequence: 57, effective: 45, builtUpon: 45, forked: false)
            ])
    }

    private func procedure(_ summary: String, reason: String? = nil, handOver: [PartyDocument] = [])
        -> ProcedureDocument
    {
        .init(
            act: "0123456789abcdef" + String(repeating: "0", count: 48), bytes: "", kind: "suspend",
            summary: summary, subject: nil, role: nil, office: nil, holders: [], reason: reason,
            draftedAt: "2026-11-22T06:00:00.000Z",
            signatures: [.init(member: party("ESP", "Spain"), at: "2026-11-22T06:00:00.000Z", dot: "00:1")],
            threshold: 3, missing: 2, maySign: [party("DEU", "Germany"), party("NAM", "Namibia")],
            handOver: handOver, isReachable: true, command: "concord member sign 0123456789abcdef")
    }

    @Test("roster, offices, suspensions and pending acts stand with reasons and the commands to type")
    func whole() {
        let suspension = MembersDocument.Suspension(
            act: "", since: "2026-11-22T06:44:00.000Z", reason: "unpaid dues",
            signers: [party("ESP", "Spain"), party("DEU", "Germany")],
            keeps: ["3f2a0b11" + String(repeating: "0", count: 24): 40])
        let document = MembersDocument(
            space: "5c1e77a0", spaceName: "Network", admissionThreshold: 1, suspensionThreshold: 2,
            members: [
                member("CAF", "Central African Republic", suspensions: [suspension]),
                member("ESP", "Spain", offices: ["chair"]),
            ],
            offices: [
                .init(office: "chair", holders: [party("ESP", "Spain")], act: ""),
                .init(
                    office: "troika",
                    holders: [party("CAF", "Central African Republic"), party("XXX", "Gone")], act: ""),
            ], procedures: [procedure("suspend DEU Germany", reason: "late")])
        #expect(
            MembershipView.members(document) == [
                "Network · 5c1e·77a0 · 1 signature admit or reinstate, 2 signatures suspend",
                "",
                "CODE  NAME                      ROLE    STANDING     FOUNDER  OFFICES  NODES  FINGERPRINT",
                "CAF   Central African Republic  member  suspended    yes               CAF-1  cccc cccc cccc cccc",
                "ESP   Spain                     member  in standing  yes      chair    ESP-1  eeee eeee eeee eeee",
                "",
                "OFFICES",
                "  chair        ESP Spain",
                "  troika       CAF Central African Republic (suspended), XXX Gone (has left)",
                "",
                "SUSPENDED",
                "  CAF Central African Republic since 2026-11-22 06:44 UTC, by ESP Spain, DEU Germany",
                "    “unpaid dues”",
                "    of its changes stay: 3f2a0b11 (CAF-1) up to 40 of 57, kept up to 45 since others built on it",
                "    → concord member reinstate CAF",
                "",
                "WAITING FOR SIGNATURES",
                "  suspend DEU Germany  0123456789abcdef",
                "    “late”",
                "    signed by 1 of 3: ESP on 2026-11-22 06:00 UTC",
                "    2 more must sign of DEU, NAM",
                "    → concord member sign 0123456789abcdef",
            ])
    }

    @Test("a hand-over says who can make it alone")
    func handOver() {
        let lines = MembershipView.procedures([
            procedure("appoint DEU Germany as chair", handOver: [party("NAM", "Namibia")])
        ])
        #expect(lines.contains("    2 more must sign of DEU, NAM; or NAM alone, who holds the office"))
    }

    @Test("what became of a signature is said in two lines")
    func signed() {
        var act = ActDocument(
            dot: "00:1", act: "01234567", kind: "suspend", summary: "suspend CAF", inForce: false,
            signers: [party("ESP", "Spain")], threshold: 3, missing: 2,
            maySign: [party("DEU", "Germany"), party("NAM", "Namibia")], handOver: [],
            remarks: ["of replica 3f2a the changes 1 to 3 stay: others built on them"])
        #expect(
            MembershipView.signed(act) == [
                "Signed: suspend CAF  0123·4567", "Signed by 1 of 3: ESP. 2 more must sign of DEU, NAM.",
                "Note: of replica 3f2a the changes 1 to 3 stay: others built on them.",
            ])
        act.inForce = true
        #expect(MembershipView.signed(act)[1] == "It is in force.")
    }

    @Test("endorsements are counted in words, and a text that moved on is said")
    func endorsements() {
        let endorser = EndorsementsDocument.Endorser(
            member: party("ESP", "Spain"), type: "state", at: "2026-11-22T06:00:00.000Z", act: "", dot: "")
        let document = EndorsementsDocument(
            text: "aaaaaaaa", textMovedOn: true,
            versions: [
                .init(text: "bbbbbbbb", isCurrent: false, endorsers: [endorser], states: 1, organizations: 0)
            ],
            recorded: .init(
                states: ["ARG", "AUS"], organizations: ["EU"], reportedStates: 41, reportedOrganizations: 3))
        #expect(
            EndorsementsView.lines(document) == [
                "", "ENDORSED BY", "  an earlier text bbbb·bbbb: 1 State", "    ESP on 2026-11-22",
                "  The text has moved on since it was endorsed.",
                "  recorded, without signatures: 2 States and 1 organization; its source reports 41 States and 3 organizations",
                "    ARG, AUS, EU",
            ])
    }

    @Test("nothing that members wrote breaks out of the roster, and no line is too long", arguments: 0..<100)
    func hostile(seed: Int) {
        var random = ClientSeed(state: UInt64(seed))
        let pieces = ["a", "Finland", " ", "\u{1b}[2J", "\n", "\u{202e}", "北", "é", "\u{9b}", "·", "\r", "👍"]
        func text() -> String {
            (0..<Int.random(in: 0...60, using: &random)).map { _ in pieces.randomElement(using: &random)! }
                .joined()
        }
        let suspension = MembersDocument.Suspension(
            act: text(), since: text(), reason: text(), signers: [party("A", text())], keeps: [text(): 3])
        let document = MembersDocument(
            space: text(), spaceName: text(), admissionThreshold: 1, suspensionThreshold: 2,
            members: [
                member("B", text(), suspensions: [suspension]), member("C", text(), offices: [text()]),
            ],
            offices: [.init(office: text(), holders: [party("D", text())], act: text())],
            procedures: [procedure(text(), reason: text())])
        for line in MembershipView.members(document) { #expect(TerminalText.escaped(line) == line) }
    }

    @Test("the doctor's findings stand the worst first, and decide the exit code")
    func doctor() {
        func check(_ state: DoctorDocument.State, _ name: String) -> DoctorDocument.Check {
            .init(check: name, state: state, message: "found", code: "E-2041", action: "do it")
        }
        func document(_ states: DoctorDocument.State...) -> DoctorDocument {
            DoctorDocument(at: "", checks: states.map { check($0, "disk") }, refused: [])
        }
        #expect(DoctorView.exitCode(document(.good, .unknown)) == 0)
        #expect(DoctorView.exitCode(document(.good, .degraded)) == 4)
        #expect(DoctorView.exitCode(document(.degraded, .person)) == 5)
        #expect(DoctorView.exitCode(document(.person, .integrity)) == 6)
        #expect(
            DoctorView.lines(document(.good, .person)) == [
                "1 thing needs attention.", "", " ! disk         found (E-2041) → do it",
                "ok disk         found (E-2041) → do it",
            ])
        #expect(DoctorView.lines(document(.good))[0] == "Nothing is wrong.")
    }
}
