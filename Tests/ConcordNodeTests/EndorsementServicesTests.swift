import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Testing

@testable import ConcordNode

@Suite("The local API: endorsed documents")
struct EndorsementServicesTests {
    private let esp: TestMember
    private let deu: TestMember
    private let nato: TestMember

    init() throws {
        esp = try TestMember("ESP", name: "Spain")
        deu = try TestMember("DEU", name: "Germany")
        nato = try TestMember("NATO", name: "North Atlantic Treaty Organization")
    }

    private func endorsement(_ text: String, of record: RecordDocument, at time: Int64 = testNow) throws
        -> TextEndorsement
    {
        let space = try #require(Digest(hex: record.space))
        return TextEndorsement(
            space: SpaceID(space), document: try #require(RecordID(text: record.id)),
            text: SHA256.hash(Array(text.utf8)), timestamp: time)
    }

    @Test("endorsements stand by text, counted by States and organizations, and say when the text moved on")
    func versions() async throws {
        try await TestNode.run(esp) { node in
            let id = try await node.found(try esp.charter(with: [deu, nato]))
            let document = try await node.create(
                #"{"kind":"document","set":{"title":"Communiqué","body":"We agree."}}"#)
            func shown() async throws -> EndorsementsDocument {
                try #require(
                    try await node.client.send("GET", "/v1/records/\(document.id)")
                        .document(RecordDetailDocument.self).endorsements)
            }
            #expect(try await shown().versions.isEmpty)
            let first = try endorsement("We agree.", of: document)
            #expect(try await node.carry(try esp.sign(first), to: id).inForce)
            _ = try await node.carry(
                try nato.sign(try endorsement("We agree.", of: document, at: testNow + 1)), to: id)
            // The very same text again, by another act.
            let again = try await node.send(
                try esp.sign(try endorsement("We agree.", of: document, at: testNow + 2)), to: id)
            #expect(again.errorCode == "E-4013")
            var now = try await shown()
            #expect(now.text == first.text.description)
            #expect(!now.textMovedOn)
            #expect(now.versions.map(\.isCurrent) == [true])
            #expect(now.versions[0].endorsers.map(\.member.code) == ["ESP", "NATO"])
            #expect(now.versions[0].states == 1)
            #expect(now.versions[0].organizations == 1)

            let edit = #"{"text":"We agree, too."}"#
            #expect(
                try await node.client.send("PUT", "/v1/records/\(document.id)/text", json: edit).status == 200
            )
            _ = try await node.carry(try deu.sign(try endorsement("We agree, too.", of: document)), to: id)
            now = try await shown()
            #expect(now.textMovedOn)
            #expect(now.versions.map(\.isCurrent) == [true, false])
            #expect(now.versions.map { $0.endorsers.map(\.member.code) } == [["DEU"], ["ESP", "NATO"]])
        }
    }

    @Test("only documents are endorsed, and only ones that are held")
    func refusals() async throws {
        try await TestNode.run(esp) { node in
            let id = try await node.found(try esp.charter())
            let contact = try await node.create(#"{"kind":"contact","set":{"name":"Ana"}}"#)
            #expect(
                try await node.send(try esp.sign(try endorsement("x", of: contact)), to: id).errorCode
                    == "E-1004")
            var missing = contact
            missing.id = "01a202c7-4566-7000-b199-cd2103e904d2"
            #expect(
                try await node.send(try esp.sign(try endorsement("x", of: missing)), to: id).errorCode
                    == "E-1004")
            let detail = try await node.client.send("GET", "/v1/records/\(contact.id)")
                .document(RecordDetailDocument.self)
            #expect(detail.endorsements == nil)
        }
    }

    @Test(
        "recorded endorsers are counted from the data: 42 States and 3 organizations, where the source says 41 and 3"
    )
    func founding() async throws {
        let codes = """
            ARG AUS AUT BHR BEL BRA BGR CAN CHL COL HRV CYP CZE DNK EST FIN FRA DEU GRC HUN IRL ITA JPN JOR KEN LTU LUX
            MLT MEX MNE NAM NLD NOR POL PRT KOR ESP SWE CHE THA ARE URY AU EU NATO
            """.split(whereSeparator: \.isWhitespace)
        let elements = codes.map { "\"\($0)\"" }.joined(separator: ",")
        try await TestNode.run(esp) { node in
            try await node.found()
            let document = try await node.create(
                """
                {"kind":"document","set":{"title":"Joint communiqué","reported_states":41,"reported_organizations":3},
                 "add":{"endorsers":[\(elements)]}}
                """)
            let recorded = try #require(
                try await node.client.send("GET", "/v1/records/\(document.id)")
                    .document(RecordDetailDocument.self).endorsements
            ).recorded
            #expect(recorded.states.count == 42)
            #expect(recorded.organizations == ["AU", "EU", "NATO"])
            #expect(recorded.reportedStates == 41)
            #expect(recorded.reportedOrganizations == 3)
        }
    }

    @Test(
        "what a member is follows from its profile, and from ISO 3166-1 where profiles say nothing or disagree"
    )
    func types() throws {
        func profile(_ code: String, _ type: String, owner: String = "ESP") -> RecordDocument {
            var record = sampleContact()
            record.kind = "member"
            record.owner = owner
            record.fields = ["code": .string(code), "type": .string(type)]
            return record
        }
        let types = try MemberTypes(profiles: [
            profile("OAS", "organization"), profile("KOS", "state"), profile("ITA", "organization"),
            profile("ITA", "state"), profile("XKX", "organization"), profile("XKX", "State", owner: "XKX"),
        ])
        #expect(types.type(of: "OAS") == .organization)
        #expect(types.type(of: "KOS") == .state)
        #expect(types.type(of: "ITA") == .state)
        #expect(types.type(of: "XKX") == .state)
        #expect(types.type(of: "DEU") == .state)
        #expect(types.type(of: "OSCE") == .organization)
        #expect(CountryCodes.all.count == 249)
    }
}
