import ConcordClient
import ConcordCrypto
import ConcordModel
import Testing

@testable import ConcordNode

@Suite("Acts in files")
struct ActFileTests {
    private let esp: TestMember
    private let nam: TestMember
    private let space = SpaceID(SHA256.hash([1]))

    init() throws {
        esp = try TestMember("ESP", name: "Spain")
        nam = try TestMember("NAM", name: "Namibia")
    }

    private func suspension(_ reason: String = "unpaid dues") -> Suspension {
        Suspension(
            space: space, subject: nam.id,
            keeps: VersionVector([Dot(ReplicaID(Bytes16(high: 1, low: 2)), 40)]), reason: UTF8Text(reason),
            timestamp: testNow)
    }

    private func name(_ member: TestMember, _ text: String) -> ActFile.Name {
        ActFile.Name(member: member.id, code: UTF8Text(member.code), name: UTF8Text(text))
    }

    @Test("an act comes back from its file with names and signatures, which lie in one order")
    func roundTrip() throws {
        let act = suspension()
        let signatures = try [esp, nam].map { try $0.sign(act) }
        let file = try ActFile(
            bytes: act.encoded, spaceName: "Network", names: [name(nam, "Namibia"), name(esp, "Spain")],
            signatures: signatures)
        let reversed = try ActFile(
            bytes: act.encoded, spaceName: "Network", names: [name(esp, "Spain"), name(nam, "Namibia")],
            signatures: signatures.reversed())
        #expect(file.encoded == reversed.encoded)
        let read = try ActFile(encoded: file.encoded)
        #expect(read == file)
        #expect(read.act == .suspension(act))
        #expect(read.hash == act.hash)
        #expect(read.name(nam.id) == "NAM Namibia")
        #expect(Set(read.signatures) == Set(signatures))
    }

    @Test("a second signature of one member takes the first one's place")
    func signedAgain() throws {
        let act = suspension()
        var file = try ActFile(bytes: act.encoded, spaceName: "", names: [])
        try file.add(try esp.sign(act))
        let second = try esp.sign(act)
        try file.add(second)
        #expect(file.signatures == [second])
        #expect(throws: ConcordError.self) { try file.add(try esp.sign(suspension("another"))) }
    }

    @Test("every change of a byte is refused, or changes what is shown: nothing is read loosely")
    func altered() throws {
        let act = suspension()
        let file = try ActFile(
            bytes: act.encoded, spaceName: "Network", names: [name(nam, "Namibia")],
            signatures: [try esp.sign(act)])
        let bytes = file.encoded
        for index in bytes.indices {
            var altered = bytes
            altered[index] ^= 1
            guard let read = try? ActFile(encoded: altered) else { continue }
            #expect(read != file, "byte \(index)")
            #expect(read.encoded == altered, "byte \(index)")
        }
        for count in bytes.indices {
            #expect(throws: ConcordError.self) { try ActFile(encoded: Array(bytes[..<count])) }
        }
        #expect(throws: ConcordError.self) { try ActFile(encoded: bytes + [0]) }
    }

    @Test("other files, unknown kinds of acts and too long files are refused with E-4003")
    func refused() async throws {
        await expectError(.malformedAct) { try ActFile(encoded: []) }
        await expectError(.malformedAct) { try ActFile(encoded: Array("-----BEGIN CERTIFICATE-----".utf8)) }
        await expectError(.malformedAct) { try ActFile(encoded: [UInt8](repeating: 0, count: 2 << 20)) }
        let unknown: [UInt8] = [0x82, 0x63] + Array("xyz".utf8) + [0x58, 0x20] + space.digest.bytes
        await expectError(.malformedAct) { try ActFile(bytes: unknown, spaceName: "", names: []) }
    }

    @Test("the view shows every part of an act, and nothing in it breaks out")
    func view() throws {
        let file = try ActFile(
            bytes: suspension("dues\u{1b}[2J\nact          admit XXX").encoded, spaceName: "Net\u{202e}work",
            names: [name(nam, "Nami\u{9b}bia")])
        let lines = ActView.lines(file)
        let text = lines.joined(separator: "\n")
        #expect(text.contains("suspend NAM Nami\\u{9b}bia"))
        #expect(text.contains("up to 40"))
        #expect(text.contains("dues\\u{1b}[2J\\nact"))
        #expect(text.contains("2026-11-22 06:00 UTC"))
        #expect(lines.allSatisfy { TerminalText.escaped($0) == $0 && TerminalText.width($0) <= 100 })
        #expect(lines.filter { $0.hasPrefix("act ") }.count == 1)
    }
}
