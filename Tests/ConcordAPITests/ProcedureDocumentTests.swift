// Documents of written procedure, with nothing in them that can be nil, and whether they come back from JSON.

import ConcordAPI
import Foundation
import Testing

enum ProcedureSamples {
    static let spain = PartyDocument(id: "aa", code: "ESP", name: "Spain")

    /// An appointment, which has no subject, role or reason.
    static let procedure = ProcedureDocument(
        act: "ab", bytes: "AA==", kind: "appoint", summary: "appoint ESP Spain as chair", subject: nil,
        role: nil,
        office: "chair", holders: [spain], reason: nil, draftedAt: "t",
        signatures: [.init(member: spain, at: "t", dot: "d:1")], threshold: 2, missing: 1, maySign: [spain],
        handOver: [spain], isReachable: true, command: "concord member sign ab")

    static let members = MembersDocument(
        space: "s", spaceName: "n", admissionThreshold: 1, suspensionThreshold: 2,
        members: [
            .init(
                id: "aa", code: "ESP", name: "Spain", role: "member", founder: true, fingerprint: "aa",
                nodes: ["madrid"], standing: "suspended",
                suspensions: [.init(act: "ac", since: "t", reason: "r", signers: [spain], keeps: ["ef": 3])],
                offices: ["chair"], authorities: ["aa"], formerAuthorities: [], predecessors: [],
                standsOn: ["s"], revokedNodes: [],
                replicas: [
                    .init(
                        replica: "ef", node: "madrid", nodeId: "cd", sequence: 5, effective: 4, builtUpon: 3,
                        forked: false)
                ])
        ], offices: [.init(office: "chair", holders: [spain], act: "ad")], procedures: [procedure])

    static let endorsements = EndorsementsDocument(
        text: nil, textMovedOn: false,
        versions: [
            .init(
                text: "ff", isCurrent: true,
                endorsers: [.init(member: spain, type: "state", at: "t", act: "ae", dot: "d:1")], states: 1,
                organizations: 0)
        ],
        recorded: .init(states: ["ARG"], organizations: [], reportedStates: nil, reportedOrganizations: nil))

    static let doctor = DoctorDocument(
        at: "t", checks: [.init(check: "disk", state: .good, message: "m")],
        refused: [
            .init(
                space: "s", dot: "d:1", member: "DEU", node: "n", own: false, author: "a", at: "t",
                record: "r",
                operations: ["set"], reason: "w")
        ])
}

@Suite("JSON documents of written procedure")
struct ProcedureDocumentTests {
    private func expectReturn<Document: Codable & Equatable>(_ document: Document) throws {
        let data = try JSONEncoder().encode(document)
        #expect(try JSONDecoder().decode(Document.self, from: data) == document)
    }

    @Test("they come back from JSON")
    func roundTrip() throws {
        try expectReturn(ProcedureSamples.procedure)
        try expectReturn(ProcedureSamples.members)
        try expectReturn(ProcedureSamples.endorsements)
        try expectReturn(ProcedureSamples.doctor)
        try expectReturn(
            ActDocument(
                dot: "d:1", act: "ab", kind: "admit", summary: "w", inForce: false,
                signers: [ProcedureSamples.spain], threshold: 2, missing: 1, maySign: [], handOver: [],
                remarks: ["r"]))
        let record = RecordDocument(
            id: "r", kind: "document", space: "s", parent: nil, owner: "ESP", version: "v", title: "",
            shown: true,
            editedWhileDeleted: false, fields: [:], conflicts: [], createdAt: "c", updatedAt: "u")
        try expectReturn(
            RecordDetailDocument(
                record: record, children: [record], endorsements: ProcedureSamples.endorsements))
        try expectReturn(RecordDetailDocument(record: record, children: []))
        try expectReturn(ShareDocument(record: record, children: 2, leftOut: ["document.meeting"]))
    }

    @Test(
        "a record's detail holds the record's fields beside children and endorsements, null where there are none"
    )
    func detail() throws {
        let record = RecordDocument(
            id: "r", kind: "contact", space: "s", parent: nil, owner: "ESP", version: "v", title: "",
            shown: true,
            editedWhileDeleted: false, fields: [:], conflicts: [], createdAt: "c", updatedAt: "u")
        let data = try JSONEncoder().encode(RecordDetailDocument(record: record, children: []))
        guard case .object(let members) = try JSONDecoder().decode(JSONValue.self, from: data) else {
            Issue.record("no object")
            return
        }
        #expect(members["endorsements"] == .null)
        #expect(members["children"] == .array([]))
        #expect(members["id"] == .string("r"))
    }

    @Test("the doctor's words are those of the schema")
    func words() {
        let states: [DoctorDocument.State] = [.good, .degraded, .person, .integrity, .unknown]
        #expect(
            states.map(\.rawValue) == ["good", "degraded", "needs a person", "integrity failure", "unknown"])
    }
}
