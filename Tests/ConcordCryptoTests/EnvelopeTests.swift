import ConcordCrypto
import Foundation
import Testing

@Suite("Envelopes")
struct EnvelopeTests {
    private struct Reader {
        let key: PrivateKey
        let certificate: Certificate

        init(_ member: TestMember, _ name: String) throws {
            key = try PrivateKey.generate()
            certificate = try member.node(name, key: key, purpose: .agreement)
        }
    }

    private let member: TestMember
    private let first: Reader
    private let second: Reader

    init() throws {
        member = try TestMember()
        first = try Reader(member, "first")
        second = try Reader(member, "second")
    }

    private func seal(_ content: [UInt8], to readers: [Reader], pieces: Int = 1000) throws -> [UInt8] {
        let encryption = try CMSEncryption(recipients: readers.map(\.certificate))
        var body: [UInt8] = []
        for start in stride(from: 0, to: content.count, by: pieces) {
            body += try encryption.update(Array(content[start..<min(start + pieces, content.count)]))
        }
        let (rest, head, tail) = try encryption.finish()
        return head + body + rest + tail
    }

    private func open(_ file: [UInt8], _ reader: Reader, pieces: Int = 777) throws -> [UInt8] {
        let beginning = Array(file.prefix(CryptoLimits.envelopeHeadBytes))
        let envelope = try CMSEnvelope(beginning: beginning, byteCount: file.count)
        let end = envelope.contentOffset + envelope.contentCount
        let decryption = try CMSDecryption(
            envelope, tail: Array(file[end...]), key: reader.key, certificate: reader.certificate)
        var content: [UInt8] = []
        for start in stride(from: envelope.contentOffset, to: end, by: pieces) {
            content += try decryption.update(Array(file[start..<min(start + pieces, end)]))
        }
        return content + (try decryption.finish())
    }

    @Test(
        "each recipient opens what was sealed, whatever its length",
        arguments: [0, 1, 15, 16, 17, 5000, 300_000])
    func roundTrip(count: Int) throws {
        let content = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let file = try seal(content, to: [first, second])
        #expect(try open(file, first) == content)
        #expect(try open(file, second) == content)
        let other = try Reader(member, "other")
        #expect(code { _ = try open(file, other) } == .notARecipient)
    }

    @Test("a renewed certificate of the same key opens what was sealed to the former one")
    func renewed() throws {
        let file = try seal([1, 2, 3], to: [first])
        let renewed = try member.node("first", key: first.key, purpose: .agreement)
        #expect(renewed != first.certificate)
        let envelope = try CMSEnvelope(beginning: file, byteCount: file.count)
        let end = envelope.contentOffset + envelope.contentCount
        let decryption = try CMSDecryption(
            envelope, tail: Array(file[end...]), key: first.key, certificate: renewed)
        #expect(
            try decryption.update(Array(file[envelope.contentOffset..<end])) + decryption.finish() == [
                1, 2, 3,
            ])
    }

    @Test("openssl opens it with the key alone, and finds the algorithms that the specification names")
    func openssl() throws {
        let folder = try TemporaryFolder()
        let content = Array(String(repeating: "for a courier\n", count: 5000).utf8)
        let file = folder.url.appendingPathComponent("sealed").path
        try seal(content, to: [first, second]).withUnsafeBytes { try write($0, to: file) }
        let key = try folder.write(try second.key.pem(passphrase: nil), "key.pem")
        let out = folder.url.appendingPathComponent("opened").path
        let opened = try ConcordCryptoTests.openssl(
            "cms", "-decrypt", "-inform", "DER", "-in", file, "-inkey", key, "-binary", "-out", out)
        #expect(opened.status == 0, "\(opened.output)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: out)) == Data(content))
        let printed = try ConcordCryptoTests.openssl(
            "cms", "-cmsout", "-print", "-inform", "DER", "-in", file, "-noout")
        for name in [
            "authEnvelopedData", "dhSinglePass-stdDH-sha256kdf-scheme", "id-aes256-wrap", "aes-256-gcm",
        ] {
            #expect(printed.output.contains(name), "\(name)")
        }
    }

    @Test("what openssl sealed to the certificate is opened")
    func sealedByOpenssl() throws {
        let folder = try TemporaryFolder()
        let plain = try folder.write("from elsewhere", "plain")
        let certificate = try folder.write(try first.certificate.pem(), "first.pem")
        let file = folder.url.appendingPathComponent("sealed").path
        let sealed = try ConcordCryptoTests.openssl(
            "cms", "-encrypt", "-aes-256-gcm", "-binary", "-in", plain, "-outform", "DER", "-out", file,
            "-recip",
            certificate, "-keyopt", "ecdh_kdf_md:sha256")
        #expect(sealed.status == 0, "\(sealed.output)")
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        #expect(try open(bytes, first) == Array("from elsewhere".utf8))
    }

    @Test("whatever is cut off is found, and no byte can be altered so that something else comes out")
    func damaged() throws {
        let content = Array("a small content".utf8)
        let file = try seal(content, to: [first])
        for count in 0..<file.count {
            let found = code { _ = try open(Array(file.prefix(count)), first) }
            #expect(found == .truncatedEnvelope || found == .malformedEnvelope, "\(count)")
            if count > 20 { #expect(found == .truncatedEnvelope, "\(count)") }
        }
        #expect(code { _ = try open(file + [0], first) } == .malformedEnvelope)
        var refused = 0
        for index in file.indices {
            var altered = file
            altered[index] ^= 0x04
            if let opened = try? open(altered, first) {
                #expect(opened == content, "\(index)")
            } else {
                refused += 1
            }
        }
        // What can be altered unseen is the version and the like, which say nothing of the content.
        #expect(refused > file.count * 9 / 10)
    }

    @Test("only certificates for key agreement are encrypted to")
    func purpose() throws {
        let key = try PrivateKey.generate()
        let signing = try member.node("signing", key: key)
        #expect(code { _ = try CMSEncryption(recipients: [signing]) } == .malformedCertificate)
    }
}
