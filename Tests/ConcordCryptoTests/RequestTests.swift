import ConcordCrypto
import Foundation
import Testing

@Suite("Certificate requests")
struct RequestTests {
    private let subject = CertificateSubject(
        memberCode: "ESP", memberName: "España – 外務省", commonName: "field-1")

    @Test("the openssl program verifies what is made, and reads the same names and uses from it")
    func verifiedByOpenSSL() throws {
        let folder = try TemporaryFolder()
        let uses: [(CertificateIssuer.NodePurpose, [String])] = [
            (
                .signing,
                ["Digital Signature", "TLS Web Server Authentication, TLS Web Client Authentication"]
            ),
            (.agreement, ["Key Agreement"]),
        ]
        for (purpose, parts) in uses {
            let request = try CertificateRequest(subject: subject, purpose: purpose, key: .generate())
            let file = try folder.write(request.pem(), "request.csr")
            let read = try openssl(
                "req", "-in", file, "-verify", "-noout", "-text", "-nameopt", "utf8,sep_comma_plus")
            #expect(read.status == 0, "\(read.output)")
            for part in parts + ["self-signature verify OK", "España – 外務省", "field-1", "NIST CURVE: P-256"] {
                #expect(read.output.contains(part), "\(part) is missing in \(read.output)")
            }
        }
    }

    @Test("a request tells what it was made with, also through PEM and DER")
    func contents() throws {
        let key = try PrivateKey.generate()
        for (purpose, expected) in [
            (CertificateIssuer.NodePurpose.signing, CertificatePurpose.signing), (.agreement, .agreement),
        ] {
            let request = try CertificateRequest(subject: subject, purpose: purpose, key: key)
            #expect(request.subject == subject)
            #expect(request.publicKey == key.publicKey)
            #expect(request.purpose == expected)
            #expect(try CertificateRequest(der: request.der) == request)
            #expect(try CertificateRequest.all(pem: request.pem()) == [request])
        }
    }

    @Test("what other tools make is read if it fits, and refused with the reason if not")
    func foreign() throws {
        func make(
            _ algorithm: [String], _ subject: String = "/O=Spain/OU=ESP/CN=x", _ extensions: [String] = []
        )
            throws -> String
        {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments =
                ["req", "-new", "-nodes", "-keyout", "/dev/null", "-subj", subject] + algorithm
                + extensions.flatMap { ["-addext", $0] }
            let pipe = Pipe()
            process.standardOutput = pipe
            process.standardError = FileHandle.nullDevice
            try process.run()
            let data = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return String(decoding: data, as: UTF8.self)
        }
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        func purpose(_ extensions: String...) throws -> CertificatePurpose? {
            try CertificateRequest.all(pem: make(curve, "/O=Spain/OU=ESP/CN=x", extensions)).first?.purpose
        }
        #expect(try purpose("keyUsage=critical,digitalSignature") == .signing)
        #expect(try purpose("keyUsage=critical,keyAgreement") == .agreement)
        #expect(try purpose() == .other)
        #expect(try purpose("keyUsage=keyCertSign") == .other)
        #expect(try purpose("basicConstraints=CA:TRUE", "keyUsage=digitalSignature") == .other)
        func refusal(_ algorithm: [String], _ subject: String = "/O=Spain/OU=ESP/CN=x") throws -> CryptoError
            .Code?
        {
            let pem = try make(algorithm, subject)
            #expect(pem.contains("BEGIN CERTIFICATE REQUEST"), "\(pem)")
            return code { _ = try CertificateRequest.all(pem: pem) }
        }
        #expect(try refusal(["-newkey", "rsa:2048"]) == .unsupportedAlgorithm)
        #expect(
            try refusal(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"]) == .unsupportedAlgorithm)
        #expect(try refusal(curve + ["-sha512"]) == .unsupportedAlgorithm)
        #expect(try refusal(curve, "/O=Spain/CN=x") == .malformedRequest)
        #expect(try refusal(curve, "/O=Spain/OU=ESP/OU=FRA/CN=x") == .malformedRequest)
    }

    @Test("a request that names another's key is refused: its sender does not hold it")
    func stolenKey() throws {
        let (own, other) = (try PrivateKey.generate(), try PrivateKey.generate())
        var der = try CertificateRequest(subject: subject, purpose: .signing, key: own).der
        let range = try #require(der.firstRange(of: own.publicKey.spki))
        der.replaceSubrange(range, with: other.publicKey.spki)
        #expect(code { _ = try CertificateRequest(der: der) } == .malformedRequest)
    }

    @Test("no altered byte passes")
    func altered() throws {
        let request = try CertificateRequest(subject: subject, purpose: .signing, key: .generate())
        for position in request.der.indices {
            var other = request.der
            other[position] ^= 1
            #expect(throws: CryptoError.self, "byte \(position)") { _ = try CertificateRequest(der: other) }
        }
    }

    @Test("cut, extended, oversized and not canonical DER is refused")
    func malformed() throws {
        let der = try CertificateRequest(subject: subject, purpose: .signing, key: .generate()).der
        for length in stride(from: 0, to: der.count, by: 5) {
            #expect(throws: CryptoError.self) { _ = try CertificateRequest(der: Array(der[..<length])) }
        }
        let tooLong = der + [UInt8](repeating: 0, count: CryptoLimits.requestBytes)
        // The length of the outermost sequence in one byte more than it needs.
        #expect(der.starts(with: [0x30, 0x82]))
        let padded = [0x30, 0x83, 0x00] + der.dropFirst(2)
        for bytes in [der + [0], tooLong, padded] {
            #expect(code { _ = try CertificateRequest(der: bytes) } == .malformedRequest)
        }
    }

    @Test("PEM with more requests than a node has keys, or with something else, is refused")
    func texts() throws {
        let request = try CertificateRequest(subject: subject, purpose: .signing, key: .generate())
        let pem = try request.pem()
        #expect(try CertificateRequest.all(pem: pem + "a note\n" + pem) == [request, request])
        let texts = [
            "", "note", String(repeating: pem, count: CryptoLimits.requestsInFile + 1),
            try pem + PrivateKey.generate().pem(passphrase: nil), try pem + TestMember().authority.pem(),
        ]
        for text in texts {
            #expect(code { _ = try CertificateRequest.all(pem: text) } == .malformedRequest, "\(text)")
        }
    }

    @Test("names that are empty, too long or hold control characters are not asked for")
    func names() throws {
        let key = try PrivateKey.generate()
        for name in ["", String(repeating: "x", count: 65), "a\u{1B}[2J"] {
            let subject = CertificateSubject(memberCode: "ESP", memberName: "Spain", commonName: name)
            #expect(
                code { _ = try CertificateRequest(subject: subject, purpose: .signing, key: key) }
                    == .cannotIssue)
        }
    }
}
