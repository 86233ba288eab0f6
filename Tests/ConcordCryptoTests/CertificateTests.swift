import ConcordCrypto
import Testing

@Suite("Certificates")
struct CertificateTests {
    @Test("the openssl program reads and verifies what is issued")
    func acceptedByOpenSSL() throws {
        let member = try TestMember()
        let folder = try TemporaryFolder()
        let authority = try folder.write(member.authority.pem(), "authority.pem")
        let text = try openssl("x509", "-in", authority, "-noout", "-text")
        #expect(text.status == 0)
        for part in [
            "Version: 3", "CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign", "Digital Signature",
            "ecdsa-with-SHA256",
            "NIST CURVE: P-256", "X509v3 Subject Key Identifier", "X509v3 Authority Key Identifier",
        ] { #expect(text.output.contains(part), "\(part) is missing in \(text.output)") }
        let uses: [(CertificateIssuer.NodePurpose, [String])] = [
            (
                .signing,
                [
                    "CA:FALSE", "Digital Signature",
                    "TLS Web Server Authentication, TLS Web Client Authentication",
                ]
            ),
            (.agreement, ["CA:FALSE", "Key Agreement"]),
        ]
        for (purpose, parts) in uses {
            let certificate = try member.node(key: PrivateKey.generate(), purpose: purpose)
            let file = try folder.write(certificate.pem(), "node.pem")
            let node = try openssl("x509", "-in", file, "-noout", "-text", "-nameopt", "utf8,sep_comma_plus")
            for part in parts { #expect(node.output.contains(part), "\(part) is missing in \(node.output)") }
            #expect(node.output.contains("España – 外務省"))
            let verified = try openssl("verify", "-x509_strict", "-CAfile", authority, file)
            #expect(verified.status == 0, "\(verified.output)")
        }
    }

    @Test("a certificate tells what it was issued with")
    func contents() throws {
        let member = try TestMember(code: "NATO", name: "North Atlantic Treaty Organization")
        let key = try PrivateKey.generate()
        let node = try member.node("mission-1", key: key, notBefore: 946_684_800, notAfter: 253_402_300_799)
        #expect(
            node.subject
                == CertificateSubject(
                    memberCode: "NATO", memberName: "North Atlantic Treaty Organization",
                    commonName: "mission-1"))
        #expect(node.notBefore == 946_684_800)
        #expect(node.notAfter == 253_402_300_799)
        #expect(node.serial.count == 16 && node.serial[0] & 0xC0 == 0x40)
        #expect(node.publicKey == key.publicKey)
        #expect(node.purpose == .signing && !node.isAuthority)
        #expect(member.authority.isAuthority && member.authority.purpose == .authority)
        #expect(try member.node(key: key, purpose: .agreement).purpose == .agreement)
        #expect(try member.node(key: key).serial != node.serial)
        #expect(member.authority.isIssued(by: member.authority))
    }

    @Test("DER and PEM give the same certificate back")
    func encodings() throws {
        let member = try TestMember()
        let node = try member.node(key: PrivateKey.generate())
        #expect(try Certificate(der: node.der) == node)
        #expect(try Certificate(pem: node.pem()) == node)
        #expect(
            try Certificate.chain(pem: node.pem() + "note\n" + member.authority.pem()) == [
                node, member.authority,
            ])
        #expect(
            code { _ = try Certificate(pem: node.pem() + member.authority.pem()) } == .malformedCertificate)
        #expect(code { _ = try Certificate(pem: "") } == .malformedCertificate)
        #expect(
            code { _ = try Certificate(pem: PrivateKey.generate().pem(passphrase: nil)) }
                == .malformedCertificate)
        let many = String(repeating: try node.pem(), count: CryptoLimits.certificatesInChain + 1)
        #expect(code { _ = try Certificate.chain(pem: many) } == .malformedCertificate)
    }

    @Test("damaged, cut, extended and oversized DER is refused")
    func malformed() throws {
        let der = try TestMember().node(key: PrivateKey.generate()).der
        #expect(code { _ = try Certificate(der: der + [0]) } == .malformedCertificate)
        #expect(code { _ = try Certificate(der: []) } == .malformedCertificate)
        #expect(
            code {
                _ = try Certificate(der: der + [UInt8](repeating: 0, count: CryptoLimits.certificateBytes))
            }
                == .malformedCertificate)
        for length in stride(from: 1, to: der.count, by: 7) {
            #expect(throws: CryptoError.self) { _ = try Certificate(der: Array(der[..<length])) }
        }
    }

    @Test("no altered byte passes as the authority's certificate")
    func altered() throws {
        let member = try TestMember()
        let node = try member.node(key: PrivateKey.generate())
        for position in node.der.indices {
            var other = node.der
            other[position] ^= 1
            guard let certificate = try? Certificate(der: other) else { continue }
            #expect(!certificate.isSigned(by: member.authority.publicKey), "byte \(position)")
        }
    }

    @Test("only the authority that signed a certificate is its issuer")
    func issuers() throws {
        let (member, other) = (try TestMember(), try TestMember())
        let key = try PrivateKey.generate()
        let node = try member.node(key: key)
        #expect(node.isIssued(by: member.authority) && node.isSigned(by: member.authority.publicKey))
        #expect(!node.isIssued(by: other.authority) && !node.isSigned(by: other.authority.publicKey))
        #expect(!node.isIssued(by: node))
        #expect(code { _ = try issue(by: node, with: key) } == .cannotIssue)
        #expect(code { _ = try issue(by: member.authority, with: other.key) } == .keyMismatch)
    }

    @Test("names that are empty, too long or hold control characters are not certified")
    func names() throws {
        let member = try TestMember()
        let key = try PrivateKey.generate()
        for name in ["", String(repeating: "x", count: 65), "a\u{1B}[2J", "a\0b", "line\nbreak"] {
            #expect(code { _ = try member.node(name, key: key) } == .cannotIssue)
        }
        #expect(throws: Never.self) { _ = try member.node(String(repeating: "界", count: 64), key: key) }
        #expect(code { _ = try member.node(key: key, notBefore: 10, notAfter: 10) } == .cannotIssue)
    }

    @Test("foreign certificates are read if they fit, and refused with the reason if not")
    func foreign() throws {
        let subject = "/O=Ministry/OU=FRA/CN=authority"
        func make(_ algorithm: String, _ subject: String) throws -> String {
            let curve = "ec_paramgen_curve:\(algorithm)"
            return try openssl(
                "req", "-x509", "-newkey", algorithm == "RSA" ? "rsa:2048" : "ec", "-pkeyopt",
                algorithm == "RSA" ? "rsa_keygen_pubexp:65537" : curve, "-nodes", "-keyout", "/dev/null",
                "-subj", subject,
                "-addext", "keyUsage=critical,keyCertSign"
            ).output
        }
        func pem(_ output: String) -> String {
            guard let range = output.range(of: "-----BEGIN") else { return output }
            return String(output[range.lowerBound...])
        }
        let good = try Certificate(pem: pem(make("P-256", subject)))
        #expect(good.isAuthority && good.subject.memberCode == "FRA")
        #expect(code { _ = try Certificate(pem: pem(make("RSA", subject))) } == .unsupportedAlgorithm)
        #expect(code { _ = try Certificate(pem: pem(make("P-384", subject))) } == .unsupportedAlgorithm)
        #expect(
            code { _ = try Certificate(pem: pem(make("P-256", "/O=Ministry/CN=x"))) } == .malformedCertificate
        )
    }

    private func issue(by issuer: Certificate, with key: PrivateKey) throws -> Certificate {
        try CertificateIssuer.node(
            commonName: "x", publicKey: key.publicKey, purpose: .signing, issuer: issuer, issuerKey: key,
            notBefore: TestMember.start, notAfter: TestMember.end)
    }
}

@Suite("Judging a peer")
struct PeerVerdictTests {
    @Test("a peer is accepted only with a trusted authority, the right purpose and within the dates")
    func verdicts() throws {
        let (member, other) = (try TestMember(), try TestMember())
        let key = try PrivateKey.generate()
        let node = try member.node(key: key, notBefore: 1000, notAfter: 2000)
        func verdict(_ node: Certificate, _ presented: [Certificate], now: Int64 = 1500) -> PeerVerdict {
            PeerCertificates(node: node, presented: presented).verdict(now: now) { $0 == member.authority }
        }
        #expect(verdict(node, [member.authority]) == .accept)
        #expect(verdict(node, [other.authority, member.authority]) == .accept)
        #expect(verdict(node, [member.authority], now: 1000) == .accept)
        #expect(verdict(node, [member.authority], now: 2000) == .accept)
        #expect(verdict(node, [member.authority], now: 999) == .refuse(reason: .notYetValid))
        #expect(verdict(node, [member.authority], now: 2001) == .refuse(reason: .expired))
        #expect(verdict(node, []) == .refuse(reason: .unknownAuthority))
        #expect(verdict(try other.node(key: key), [other.authority]) == .refuse(reason: .unknownAuthority))
        #expect(verdict(try other.node(key: key), [member.authority]) == .refuse(reason: .malformed))
        let agreement = try member.node(key: key, purpose: .agreement)
        #expect(
            verdict(agreement, [member.authority], now: TestMember.start) == .refuse(reason: .wrongPurpose))
    }

    @Test("each reason has its own alert and comes back from it")
    func alerts() {
        #expect(Set(TLSRefusal.allCases.map(\.alert)).count == TLSRefusal.allCases.count)
        for reason in TLSRefusal.allCases { #expect(TLSRefusal(alert: reason.alert) == reason) }
        #expect(TLSRefusal(alert: 0) == nil)
    }

    @Test("a TLS context wants key, certificate and authority that belong together")
    func context() throws {
        let (member, other) = (try TestMember(), try TestMember())
        let key = try PrivateKey.generate()
        let node = try member.node(key: key)
        func make(_ authority: Certificate, _ key: PrivateKey) throws {
            _ = try TLSContext(
                TLSConfiguration(certificate: node, authority: authority, key: key, verify: { _ in .accept }))
        }
        #expect(throws: Never.self) { try make(member.authority, key) }
        #expect(code { try make(other.authority, key) } == .keyMismatch)
        #expect(code { try make(member.authority, other.key) } == .keyMismatch)
    }

    @Test("a TLS context presents a renewed certificate from then on, and never one that does not fit")
    func renewal() throws {
        let (member, other) = (try TestMember(), try TestMember())
        let key = try PrivateKey.generate()
        let (old, new) = (try member.node(key: key), try member.node(key: key))
        let context = try TLSContext(
            TLSConfiguration(
                certificate: old, authority: member.authority, key: key, verify: { _ in .accept }))
        try context.replace(certificate: new, authority: member.authority)
        #expect(context.configuration.certificate == new)
        let foreign = try member.node(key: PrivateKey.generate())
        #expect(
            code { try context.replace(certificate: foreign, authority: member.authority) } == .keyMismatch)
        #expect(code { try context.replace(certificate: old, authority: other.authority) } == .keyMismatch)
        #expect(context.configuration.certificate == new)
    }
}
