import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Foundation
import Testing

@testable import ConcordNode

@Suite("The local API: written procedure")
struct ProcedureServicesTests {
    private let esp: TestMember
    private let deu: TestMember
    private let nam: TestMember

    init() throws {
        esp = try TestMember("ESP", name: "Spain")
        deu = try TestMember("DEU", name: "Germany")
        nam = try TestMember("NAM", name: "Namibia")
    }

    private func charter(_ name: String = "Network") throws -> SignedCharter {
        try esp.charter(name, with: [deu, nam], admission: 2, suspension: 2)
    }

    private func suspension(_ space: SpaceID, of member: TestMember, keeps: VersionVector = VersionVector())
        -> Suspension
    {
        Suspension(space: space, subject: member.id, keeps: keeps, reason: "unpaid dues", timestamp: testNow)
    }

    @Test("endorsements are collected under one act, which comes into force with the last of them")
    func collect() async throws {
        let chile = try TestMember("CHL", name: "Chile")
        try await TestNode.run(esp) { node in
            let id = try await node.found(try charter())
            let space = try charter().charter.space
            let admission = Admission(
                space: space, subject: try MemberStatement(authority: chile.authority), role: .member,
                predecessor: nil, timestamp: testNow)
            let first = try await node.carry(try esp.sign(admission), to: id)
            #expect(!first.inForce)
            #expect(first.missing == 1)
            #expect(first.signers.map(\.code) == ["ESP"])
            #expect(Set(first.maySign.map(\.code)) == ["DEU", "NAM"])

            let waiting = try await node.client.send("GET", "/v1/spaces/\(id)/procedures")
                .document(ProceduresDocument.self).procedures
            #expect(waiting.map(\.act) == [first.act])
            #expect(waiting[0].kind == "admit")
            #expect(waiting[0].subject?.code == "CHL")
            #expect(waiting[0].role == "member")
            #expect(waiting[0].signatures.map(\.member.name) == ["Spain"])
            #expect(waiting[0].signatures.map(\.dot) == [first.dot])
            #expect(waiting[0].command == "concord member sign \(first.act.prefix(16))")
            #expect(try await node.members(id).procedures == waiting)

            // The second member signs the very bytes that the daemon hands out.
            let bytes = try #require(Data(base64Encoded: waiting[0].bytes)).map { $0 }
            let second = try await node.carry(
                try SignedAct(act: bytes, signer: deu.id, key: deu.authorityKey), to: id)
            #expect(second.inForce)
            #expect(second.missing == 0)
            let members = try await node.members(id)
            #expect(members.procedures.isEmpty)
            #expect(members.members.map(\.code) == ["CHL", "DEU", "ESP", "NAM"])
        }
    }

    @Test("a suspension shows since when, why and by whom; a reinstatement takes it back")
    func suspendAndReinstate() async throws {
        try await TestNode.run(esp) { node in
            let id = try await node.found(try charter())
            let space = try charter().charter.space
            let suspension = suspension(space, of: nam)
            _ = try await node.carry(try esp.sign(suspension), to: id)
            #expect(try await node.carry(try deu.sign(suspension), to: id).inForce)
            let line = try #require(try await node.members(id).members.first { $0.code == "NAM" })
            #expect(line.standing == "suspended")
            #expect(line.role == "member")
            #expect(line.suspensions.map(\.reason) == ["unpaid dues"])
            #expect(line.suspensions[0].signers.map(\.code) == ["ESP", "DEU"])
            #expect(line.suspensions[0].act == suspension.hash.description)
            #expect(line.suspensions[0].since == Timestamp.text(milliseconds: testNow))

            let lifted = Reinstatement(
                space: space, subject: nam.id, suspensions: [suspension.hash], timestamp: testNow)
            #expect(try await node.send(try nam.sign(lifted), to: id).errorCode == "E-4012")
            _ = try await node.carry(try esp.sign(lifted), to: id)
            #expect(try await node.carry(try deu.sign(lifted), to: id).inForce)
            #expect(try await node.members(id).members.allSatisfy { $0.standing == "in standing" })
            let again = Reinstatement(
                space: space, subject: nam.id, suspensions: [suspension.hash], timestamp: testNow + 1)
            #expect(try await node.send(try esp.sign(again), to: id).errorCode == "E-4013")
        }
    }

    @Test("what would be written in vain is refused, each with its code")
    func refusals() async throws {
        let (chile, stranger) = (try TestMember("CHL"), try TestMember("XXX"))
        try await TestNode.run(esp) { node in
            let id = try await node.found(try charter())
            let space = try charter().charter.space
            func code(_ signed: SignedAct) async throws -> String? {
                try await node.send(signed, to: id).errorCode
            }
            let suspension = suspension(space, of: nam)
            // The subject of an act, a stranger, a signature of another, a subject that is not there.
            #expect(try await code(try nam.sign(suspension)) == "E-4012")
            #expect(try await code(try stranger.sign(suspension)) == "E-4008")
            let forged = try deu.sign(suspension)
            #expect(
                try await code(SignedAct(act: forged.act, signer: esp.id, signature: forged.signature))
                    == "E-4003")
            #expect(try await code(try esp.sign(self.suspension(space, of: chile))) == "E-4008")
            // Twice by one member; once more when it is in force.
            _ = try await node.carry(try esp.sign(suspension), to: id)
            #expect(try await code(try esp.sign(suspension)) == "E-4013")
            _ = try await node.carry(try deu.sign(suspension), to: id)
            #expect(try await code(try deu.sign(suspension)) == "E-4013")
            // Whoever is suspended signs nothing, and now one suspends nobody: the threshold is out of reach.
            let other = self.suspension(space, of: deu)
            #expect(try await code(try nam.sign(other)) == "E-4005")
            #expect(try await code(try esp.sign(other)) == "E-4014")
            // Another member's own acts.
            let departure = Departure(
                space: space, subject: deu.id, standing: [space.digest], keeps: VersionVector(),
                timestamp: testNow)
            #expect(try await code(try esp.sign(departure)) == "E-4012")
            // An act for another space, and one of which nothing is known.
            let elsewhere = try charter("Elsewhere").charter.space
            #expect(try await code(try esp.sign(self.suspension(elsewhere, of: deu))) == "E-4003")
            let unknown: [UInt8] = [0x82, 0x63] + Array("xyz".utf8) + [0x58, 0x20] + space.digest.bytes
            #expect(
                try await code(try SignedAct(act: unknown, signer: esp.id, key: esp.authorityKey)) == "E-4003"
            )
            // An office for whoever is no member in standing.
            let chair = Appointment(
                space: space, office: "chair", holders: [nam.id], replaces: [], timestamp: testNow)
            #expect(try await code(try esp.sign(chair)) == "E-4005")
            #expect(try await node.members(id).procedures.isEmpty)
        }
    }

    @Test("a new authority key takes the old one's place, and what the old one signs is refused")
    func rotation() async throws {
        try await TestNode.run(esp) { node in
            let id = try await node.found(try charter())
            let space = try charter().charter.space
            let new = try TestMember("ESP", name: "Spain")
            let rotation = try Rotation(
                space: space, subject: esp.id, replaces: esp.id.digest, certificate: new.authority.der,
                key: new.authorityKey, timestamp: testNow)
            #expect(try await node.carry(try esp.sign(rotation), to: id).inForce)
            let line = try #require(try await node.members(id).members.first { $0.code == "ESP" })
            #expect(line.id == esp.id.description)
            #expect(line.authorities == [new.id.description])
            #expect(line.formerAuthorities == [esp.id.description])
            let suspension = suspension(space, of: nam)
            #expect(try await node.send(try esp.sign(suspension), to: id).errorCode == "E-4011")
            let signed = try SignedAct(act: suspension.encoded, signer: esp.id, key: new.authorityKey)
            #expect(try await node.carry(signed, to: id).missing == 1)
        }
    }

    @Test("offices are given, shown and handed over")
    func offices() async throws {
        try await TestNode.run(esp) { node in
            let id = try await node.found(try charter())
            let space = try charter().charter.space
            let first = Appointment(
                space: space, office: "chair", holders: [esp.id], replaces: [], timestamp: testNow)
            _ = try await node.carry(try esp.sign(first), to: id)
            #expect(try await node.carry(try deu.sign(first), to: id).inForce)
            let second = Appointment(
                space: space, office: "chair", holders: [deu.id], replaces: [first.hash], timestamp: testNow)
            let handed = try await node.carry(try esp.sign(second), to: id)
            #expect(handed.inForce)
            #expect(handed.threshold == 2)
            let members = try await node.members(id)
            #expect(members.offices.map(\.office) == ["chair"])
            #expect(members.offices[0].holders.map(\.code) == ["DEU"])
            #expect(members.members.first { $0.code == "DEU" }?.offices == ["chair"])
        }
    }

    @Test("a member that leaves is off the roster, and its node says so")
    func departure() async throws {
        try await TestNode.run(esp) { node in
            let id = try await node.found(try charter())
            let space = try charter().charter.space
            let partial = Departure(
                space: space, subject: esp.id, standing: [esp.id.digest], keeps: VersionVector(),
                timestamp: testNow)
            #expect(try await node.send(try esp.sign(partial), to: id).errorCode == "E-4003")
            let leaving = Departure(
                space: space, subject: esp.id, standing: [space.digest], keeps: VersionVector(),
                timestamp: testNow)
            #expect(try await node.carry(try esp.sign(leaving), to: id).inForce)
            #expect(try await node.members(id).members.map(\.code) == ["DEU", "NAM"])
            let spaces = try await node.client.send("GET", "/v1/spaces").document(SpacesDocument.self).spaces
            #expect(spaces[0].role == nil)
            #expect(spaces[0].standing == nil)
        }
    }

    @Test("a cut-off says what stays because others built on it, and the roster shows how far")
    func cutOff() async throws {
        try await TestNode.run(esp) { madrid in
            let id = try await madrid.found(try charter())
            let space = try charter().charter.space
            try await TestNode.run(nam) { windhoek in
                _ = try await windhoek.services.join(try await madrid.services.invite(to: id))
                for name in ["one", "two", "three"] {
                    _ = try await windhoek.create(#"{"kind":"document","set":{"title":"\#(name)"}}"#)
                }
                try await windhoek.bring(space, to: madrid)
                // Madrid builds on what Windhoek wrote so far, the binding of its replica included.
                _ = try await madrid.create(#"{"kind":"document","set":{"title":"four"}}"#)
                _ = try await windhoek.create(#"{"kind":"document","set":{"title":"five"}}"#)
                try await windhoek.bring(space, to: madrid)
                let before = try await line(madrid, id).replicas
                #expect(before.map(\.sequence) == [5])
                #expect(before.map(\.builtUpon) == [4])
                #expect(before.map(\.node) == ["madrid"])
                let suspension = suspension(space, of: nam)
                _ = try await madrid.carry(try esp.sign(suspension), to: id)
                let done = try await madrid.carry(try deu.sign(suspension), to: id)
                #expect(done.inForce)
                // The change that carried the first signature built on all that Madrid held.
                #expect(done.remarks.count == 1)
                #expect(done.remarks.first?.contains("the changes 1 to 5 stay: others built on them") == true)
                _ = try await windhoek.create(#"{"kind":"document","set":{"title":"six"}}"#)
                try await windhoek.bring(space, to: madrid)
                let after = try await line(madrid, id).replicas
                #expect(after.map(\.sequence) == [6])
                #expect(after.map(\.effective) == [5])
            }
            let titles = try await madrid.client.send("GET", "/v1/records?kind=document")
                .document(RecordsDocument.self).records.map(\.title)
            #expect(Set(titles) == ["one", "two", "three", "four", "five"])
        }
    }

    private func line(_ node: TestNode, _ space: String) async throws -> MembersDocument.Member {
        try #require(try await node.members(space).members.first { $0.code == "NAM" })
    }

    @Test("where several spaces are held, the command names the space")
    func severalSpaces() async throws {
        try await TestNode.run(esp) { node in
            let id = try await node.found(try charter())
            try await node.found("Other")
            let space = try charter().charter.space
            _ = try await node.carry(try esp.sign(suspension(space, of: nam)), to: id)
            let waiting = try await node.members(id).procedures
            #expect(waiting[0].command.hasSuffix(" --space \(id.prefix(8))"))
            #expect(try await node.client.send("GET", "/v1/members").errorCode == "E-4010")
            #expect(try await node.client.send("GET", "/v1/spaces/none/procedures").errorCode == "E-4001")
        }
    }
}
