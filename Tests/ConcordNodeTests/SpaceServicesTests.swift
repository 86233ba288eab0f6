import ConcordAPI
import ConcordModel
import Testing

@testable import ConcordNode

@Suite("The local API: spaces and members")
struct SpaceServicesTests {
    @Test("a founded space is listed, found by name, id and prefix, and not founded twice")
    func found() async throws {
        try await TestNode.run { node in
            let id = try await node.found("Focal Points")
            let spaces = try await node.client.send("GET", "/v1/spaces").document(SpacesDocument.self).spaces
            #expect(spaces.map(\.id) == [id])
            #expect(spaces[0].name == "Focal Points")
            #expect(spaces[0].role == "member")
            #expect(spaces[0].founders == ["ESP"])
            #expect(spaces[0].replica == nil)
            #expect(spaces[0].admissionThreshold == 1)
            #expect(spaces[0].suspensionThreshold == 2)
            for name in ["Focal%20Points", id, String(id.prefix(8)), String(id.prefix(8)).uppercased()] {
                let response = try await node.client.send("GET", "/v1/spaces/\(name)/digest")
                #expect(response.status == 200, "\(name)")
                #expect(try response.document(DigestDocument.self).space == id)
            }
            let unknown = try await node.client.send("GET", "/v1/spaces/Elsewhere/digest")
            #expect(unknown.status == 404)
            #expect(unknown.errorCode == "E-4001")
            let charter = Base64.encode(try node.member.charter("Focal Points").encoded)
            let twice = try await node.client.send("POST", "/v1/spaces", json: "{\"charter\":\"\(charter)\"}")
            #expect(twice.status == 409)
            #expect(twice.errorCode == "E-4009")
            #expect(await node.peers.changes == 1)
        }
    }

    @Test("a charter of others, or an altered one, is refused")
    func foreignCharter() async throws {
        let germany = try TestMember("DEU", name: "Germany")
        try await TestNode.run { node in
            var bytes = try germany.charter().encoded
            let foreign = try await node.client.send(
                "POST", "/v1/spaces", json: #"{"charter":"\#(Base64.encode(bytes))"}"#)
            #expect(foreign.errorCode == "E-4011")
            bytes[bytes.count - 1] ^= 1
            let altered = try await node.client.send(
                "POST", "/v1/spaces", json: #"{"charter":"\#(Base64.encode(bytes))"}"#)
            #expect(altered.errorCode == "E-4002")
        }
    }

    @Test("an act admits a member, is refused when repeated, and a stranger's act is refused")
    func admit() async throws {
        let (germany, namibia) = (
            try TestMember("DEU", name: "Germany"), try TestMember("NAM", name: "Namibia")
        )
        try await TestNode.run { node in
            let id = try await node.found()
            let space = try node.member.charter().charter.space
            func send(_ signed: SignedAct) async throws -> SocketResponse {
                try await node.send(signed, to: id)
            }
            let admission = try node.member.admission(of: germany, to: space)
            let admitted = try await send(admission)
            #expect(admitted.status == 200, "\(admitted.text)")
            #expect(Dot(text: try admitted.document(ActDocument.self).dot) != nil)
            #expect(try await send(admission).errorCode == "E-4007")
            #expect(try await send(try namibia.admission(of: namibia, to: space)).errorCode == "E-4008")
            let elsewhere = try node.member.charter("Elsewhere").charter.space
            #expect(
                try await send(try node.member.admission(of: namibia, to: elsewhere)).errorCode == "E-4003")
            let members = try await node.client.send("GET", "/v1/members").document(MembersDocument.self)
            #expect(members.members.map(\.code) == ["DEU", "ESP"])
            #expect(members.members.map(\.founder) == [false, true])
            #expect(members.members[1].nodes == ["madrid"])
            #expect(members.members[0].fingerprint == germany.id.description)
        }
    }

    @Test(
        "an invite leads another node into the space, with the roster's authorities and the inviter's address"
    )
    func joining() async throws {
        let germany = try TestMember("DEU", name: "Germany")
        try await TestNode.run { madrid in
            let id = try await madrid.found()
            let space = try madrid.member.charter().charter.space
            _ = try await madrid.services.write(
                try madrid.member.admission(of: germany, to: space), in: id, author: "ana")
            let response = try await madrid.client.send("POST", "/v1/spaces/\(id)/invite")
            let invite = try response.document(InviteDocument.self).invite
            try await TestNode.run(germany) { berlin in
                let joined = try await berlin.client.send(
                    "POST", "/v1/spaces/join", json: #"{"invite":"\#(invite)"}"#)
                #expect(joined.status == 200, "\(joined.text)")
                let document = try joined.document(JoinedDocument.self)
                #expect(document.id == id)
                #expect(document.inviter.code == "ESP")
                #expect(document.inviter.fingerprint == madrid.member.id.description)
                #expect(await berlin.peers.addresses.map(\.description) == ["esp.example.org:7443"])
                let trusted = try berlin.store.trustedAuthorities()
                #expect(trusted.map(\.code) == ["ESP"])
                let early = try await berlin.client.send(
                    "POST", "/v1/records", json: #"{"kind":"contact","set":{"name":"Anna"}}"#)
                #expect(early.status == 403)
                #expect(early.errorCode == "E-4006")
                let again = try await berlin.client.send(
                    "POST", "/v1/spaces/join", json: #"{"invite":"\#(invite)"}"#)
                #expect(again.errorCode == "E-4009")
            }
        }
    }

    @Test("a space that is not held, or is not this member's, gives no invite")
    func noInvite() async throws {
        try await TestNode.run { node in
            #expect(try await node.client.send("POST", "/v1/spaces/nowhere/invite").errorCode == "E-4001")
            let bad = try await node.client.send("POST", "/v1/spaces/join", json: #"{"invite":"AAAA"}"#)
            #expect(bad.errorCode == "E-4004")
        }
    }

    @Test("where several spaces are held, a request says which")
    func ambiguous() async throws {
        try await TestNode.run { node in
            let body = #"{"kind":"contact","set":{"name":"Ana"}}"#
            #expect(try await node.client.send("POST", "/v1/records", json: body).errorCode == "E-4001")
            try await node.found("One")
            try await node.found("Two")
            #expect(try await node.client.send("POST", "/v1/records", json: body).errorCode == "E-4010")
            let record = try await node.create(#"{"kind":"contact","space":"Two","set":{"name":"Ana"}}"#)
            #expect(record.fields["name"] == .string("Ana"))
            #expect(
                try await node.client.send("GET", "/v1/records?space=One").json
                    == .object(["records": .array([])]))
        }
    }
}
