// The members of every simulation: the same each time, so that a seed gives the same identifiers on every run.
// Their keys follow from their names and are worth nothing elsewhere. The certificates of the first five were issued once
// with these keys by CertificateIssuer, and a test checks that they fit; those of all others, and of further nodes of a
// member, are issued when they are wanted, with what OpenSSL draws following from the name.

import ConcordCrypto
import ConcordModel
import ConcordStore
import Foundation

/// A member of the simulation with its authority and one of its nodes.
public struct SimulatedIdentity: Sendable {
    /// What stands for the member, for example `ESP`.
    public let code: String
    /// The name of its node.
    public let city: String
    /// The authority's certificate.
    public let authority: Certificate
    /// The authority's key.
    public let authorityKey: PrivateKey
    /// The node's signing certificate.
    public let node: Certificate
    /// The node's key.
    public let nodeKey: PrivateKey

    /// Who the member is.
    public var member: MemberID { MemberID(authority: authority) }
    /// How the member's node signs changes.
    public var signer: any NodeSigner { Signer(certificate: node, member: member, key: nodeKey) }

    /// How many members have certificates that were issued once and for all.
    public static var count: Int { all.count }

    /// The first node of the member of this number, from 0.
    ///
    /// - Throws: ``CryptoError`` if OpenSSL cannot take the keys or certificates.
    public init(_ number: Int) throws {
        guard number < Self.all.count else {
            try self.init(issuing: number)
            return
        }
        let identity = Self.all[number]
        self.init(
            code: identity.code, city: identity.city,
            authority: try Certificate(pem: Self.pem(identity.authority, "CERTIFICATE")),
            authorityKey: try Self.key("\(identity.code) authority"),
            node: try Certificate(pem: Self.pem(identity.node, "CERTIFICATE")),
            nodeKey: try Self.key("\(identity.code) node \(identity.city)"))
    }

    /// A further node of the same member, or the same node with a new key and certificate.
    ///
    /// - Throws: ``CryptoError`` if OpenSSL cannot make the certificate.
    public func another(_ city: String) throws -> SimulatedIdentity {
        let key = try Self.key("\(code) node \(city)")
        let certificate = try withSeededSignatures(Self.seed(code + city)) {
            try CertificateIssuer.node(
                commonName: city, publicKey: key.publicKey, purpose: .signing, issuer: authority,
                issuerKey: authorityKey, notBefore: Self.notBefore, notAfter: Self.notAfter)
        }
        return SimulatedIdentity(
            code: code, city: city, authority: authority, authorityKey: authorityKey, node: certificate,
            nodeKey: key)
    }

    /// The same node with a new certificate of the same key.
    ///
    /// - Throws: ``CryptoError`` if OpenSSL cannot make the certificate.
    func renewed(_ number: Int) throws -> SimulatedIdentity {
        let certificate = try withSeededSignatures(Self.seed("\(code) \(city) \(number)")) {
            try CertificateIssuer.node(
                commonName: city, publicKey: nodeKey.publicKey, purpose: .signing, issuer: authority,
                issuerKey: authorityKey, notBefore: Self.notBefore, notAfter: Self.notAfter)
        }
        return SimulatedIdentity(
            code: code, city: city, authority: authority, authorityKey: authorityKey, node: certificate,
            nodeKey: nodeKey)
    }

    private init(
        code: String, city: String, authority: Certificate, authorityKey: PrivateKey, node: Certificate,
        nodeKey: PrivateKey
    ) {
        self.code = code
        self.city = city
        self.authority = authority
        self.authorityKey = authorityKey
        self.node = node
        self.nodeKey = nodeKey
    }

    private init(issuing number: Int) throws {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        let code = "X\(letters[number / 26 % 26])\(letters[number % 26])"
        let key = try Self.key("\(code) authority")
        let authority = try withSeededSignatures(Self.seed(code)) {
            try CertificateIssuer.authority(
                subject: CertificateSubject(
                    memberCode: code, memberName: "Member \(number)", commonName: "\(code) authority"),
                key: key, notBefore: Self.notBefore, notAfter: Self.notAfter)
        }
        self = try SimulatedIdentity(
            code: code, city: "", authority: authority, authorityKey: key, node: authority, nodeKey: key
        ).another("City\(number)")
    }

    private static let notBefore: Int64 = 1_474_329_600
    private static let notAfter: Int64 = 4_102_444_800

    private static func seed(_ label: String) -> UInt64 { SimulationRandom.subSeed(0, label) }

    private struct Signer: NodeSigner {
        let certificate: Certificate
        let member: MemberID
        let key: PrivateKey

        func sign(_ hash: Digest) throws -> ConcordCrypto.Signature {
            let seed = hash.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return try withSeededSignatures(seed) { try key.sign(hash, as: .change) }
        }
    }

    /// PKCS#8 (RFC 5958) around an EC private key (RFC 5915) on P-256 without its public half.
    private static let keyHeader: [UInt8] = [
        0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06,
        0x08,
        0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20,
    ]

    private static func key(_ label: String) throws -> PrivateKey {
        let scalar = SHA256.hash(Array("concord simulator key \(label)".utf8)).bytes
        let base64 = Data(keyHeader + scalar).base64EncodedString(
            options: [.lineLength64Characters, .endLineWithLineFeed])
        return try PrivateKey(pem: pem(base64, "PRIVATE KEY"))
    }

    private static func pem(_ base64: String, _ label: String) -> String {
        "-----BEGIN \(label)-----\n\(base64)\n-----END \(label)-----\n"
    }

    private struct Identity: Sendable {
        let code: String
        let city: String
        let authority: String
        let node: String
    }

    private static let all: [Identity] = [
        Identity(
            code: "ESP", city: "Madrid",
            authority: """
                MIIB6TCCAY6gAwIBAgIQZ35WSQQJ93Pn3D0bFtHckTAKBggqhkjOPQQDAjBBMRkwFwYDVQQKDBBL
                aW5nZG9tIG9mIFNwYWluMQwwCgYDVQQLDANFU1AxFjAUBgNVBAMMDUVTUCBhdXRob3JpdHkwIBcN
                MTYwOTIwMDAwMDAwWhgPMjEwMDAxMDEwMDAwMDBaMEExGTAXBgNVBAoMEEtpbmdkb20gb2YgU3Bh
                aW4xDDAKBgNVBAsMA0VTUDEWMBQGA1UEAwwNRVNQIGF1dGhvcml0eTBZMBMGByqGSM49AgEGCCqG
                SM49AwEHA0IABPx6lI4XP3mVjun/wK/nnebuFOy58mAJNpp1uqajov96zs/UZcgEFg1Mrz3v+chn
                T2FBJanjuwHMhPQMO563W3mjZjBkMBIGA1UdEwEB/wQIMAYBAf8CAQAwDgYDVR0PAQH/BAQDAgGG
                MB0GA1UdDgQWBBRjNnyTNUCrKKCv4iQDIt5R5sLquTAfBgNVHSMEGDAWgBRjNnyTNUCrKKCv4iQD
                It5R5sLquTAKBggqhkjOPQQDAgNJADBGAiEA8+koKYZjxFnnSEe+0lpV2KoLs3y3sT+jGXqyO0Jy
                13sCIQCmjYOjeLwMWC92ibsTuC6VIdWmRnBJvLiKaKF19Qc4EA==
                """,
            node: """
                MIIB+jCCAaCgAwIBAgIQVgfngbcHaE+W+Pcdzdz0gDAKBggqhkjOPQQDAjBBMRkwFwYDVQQKDBBL
                aW5nZG9tIG9mIFNwYWluMQwwCgYDVQQLDANFU1AxFjAUBgNVBAMMDUVTUCBhdXRob3JpdHkwIBcN
                MTYwOTIwMDAwMDAwWhgPMjEwMDAxMDEwMDAwMDBaMDoxGTAXBgNVBAoMEEtpbmdkb20gb2YgU3Bh
                aW4xDDAKBgNVBAsMA0VTUDEPMA0GA1UEAwwGTWFkcmlkMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
                QgAEXcmIlJAXA/d/CkFzNTIWij6NM8vkusIIawhNa0+HXTWmH3IEKeqXNqgMxbziJaP0Oi5Cf5B0
                Ux6A4Sq9IWD1FKN/MH0wDAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCB4AwHQYDVR0lBBYwFAYI
                KwYBBQUHAwEGCCsGAQUFBwMCMB0GA1UdDgQWBBRhqqZWHeXX4Cuzg1ffmCvNnE8crzAfBgNVHSME
                GDAWgBRjNnyTNUCrKKCv4iQDIt5R5sLquTAKBggqhkjOPQQDAgNIADBFAiEA9ChLhMapd80J30Du
                +nokiPiyhIEd5HMWy0l90hfUI40CIAOcufDvsRFg3loVmMvNWbFue4m6pd2NjzqBxqCw+uyv
                """),
        Identity(
            code: "DEU", city: "Berlin",
            authority: """
                MIIB/TCCAaSgAwIBAgIQXnp/vt/JJa7UIPE6qCTcHzAKBggqhkjOPQQDAjBMMSQwIgYDVQQKDBtG
                ZWRlcmFsIFJlcHVibGljIG9mIEdlcm1hbnkxDDAKBgNVBAsMA0RFVTEWMBQGA1UEAwwNREVVIGF1
                dGhvcml0eTAgFw0xNjA5MjAwMDAwMDBaGA8yMTAwMDEwMTAwMDAwMFowTDEkMCIGA1UECgwbRmVk
                ZXJhbCBSZXB1YmxpYyBvZiBHZXJtYW55MQwwCgYDVQQLDANERVUxFjAUBgNVBAMMDURFVSBhdXRo
                b3JpdHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARcPfUGWA+q0oz/BfgdHylizWktTrL8/Tuu
                Kq4bGMJ7nzsGoM675raEk8cV4s3ZF1/3RPUFdtgOhruM6+IRAkWto2YwZDASBgNVHRMBAf8ECDAG
                AQH/AgEAMA4GA1UdDwEB/wQEAwIBhjAdBgNVHQ4EFgQUWCsAb/0TIGEI5ICYV297IocE0aswHwYD
                VR0jBBgwFoAUWCsAb/0TIGEI5ICYV297IocE0aswCgYIKoZIzj0EAwIDRwAwRAIgVrqbnXJvdCZa
                lI8sO3eGF3S5gTMc4FBFG0Ts1Nb+qHwCIDAaapIJk+Sr6sqGc7eVoSv+beJ+4t2pMCZMErR4C+cf
                """,
            node: """
                MIICETCCAbagAwIBAgIQckQe1V0iiUQCnybueVP8VzAKBggqhkjOPQQDAjBMMSQwIgYDVQQKDBtG
                ZWRlcmFsIFJlcHVibGljIG9mIEdlcm1hbnkxDDAKBgNVBAsMA0RFVTEWMBQGA1UEAwwNREVVIGF1
                dGhvcml0eTAgFw0xNjA5MjAwMDAwMDBaGA8yMTAwMDEwMTAwMDAwMFowRTEkMCIGA1UECgwbRmVk
                ZXJhbCBSZXB1YmxpYyBvZiBHZXJtYW55MQwwCgYDVQQLDANERVUxDzANBgNVBAMMBkJlcmxpbjBZ
                MBMGByqGSM49AgEGCCqGSM49AwEHA0IABNco9/5wUbPsOVmCkUhhVomFu9Bm5oclxFT50P+IeQqU
                gW1wOsw/B4+Y3HuK9xaqdHU1lsyzRfxl9lILKNlYUJSjfzB9MAwGA1UdEwEB/wQCMAAwDgYDVR0P
                AQH/BAQDAgeAMB0GA1UdJQQWMBQGCCsGAQUFBwMBBggrBgEFBQcDAjAdBgNVHQ4EFgQUq0Y9laI9
                fPcZm4dSM8CBRbcdoIAwHwYDVR0jBBgwFoAUWCsAb/0TIGEI5ICYV297IocE0aswCgYIKoZIzj0E
                AwIDSQAwRgIhAOuofzYOLulj4vPrc9Wjkv4X/sfTiS1FjxEj3SZC/ikZAiEA6wAzdsnC+1avPo6R
                UX1obuYNjweV/IBeSiKMoh2UqzM=
                """),
        Identity(
            code: "NAM", city: "Windhoek",
            authority: """
                MIIB7jCCAZSgAwIBAgIQbvDpyzgDplxchjc55UD0CTAKBggqhkjOPQQDAjBEMRwwGgYDVQQKDBNS
                ZXB1YmxpYyBvZiBOYW1pYmlhMQwwCgYDVQQLDANOQU0xFjAUBgNVBAMMDU5BTSBhdXRob3JpdHkw
                IBcNMTYwOTIwMDAwMDAwWhgPMjEwMDAxMDEwMDAwMDBaMEQxHDAaBgNVBAoME1JlcHVibGljIG9m
                IE5hbWliaWExDDAKBgNVBAsMA05BTTEWMBQGA1UEAwwNTkFNIGF1dGhvcml0eTBZMBMGByqGSM49
                AgEGCCqGSM49AwEHA0IABF7H9DoiM/RCf+TNd6i7esnn7Z+jjfVeV70BICLYyBInn/paw1FA1ChA
                NqzcZeHCZyJmBsfinfYznCpD8zS5o5KjZjBkMBIGA1UdEwEB/wQIMAYBAf8CAQAwDgYDVR0PAQH/
                BAQDAgGGMB0GA1UdDgQWBBSGk5xQVR8Xikl8X5NEDuU4BGE5lzAfBgNVHSMEGDAWgBSGk5xQVR8X
                ikl8X5NEDuU4BGE5lzAKBggqhkjOPQQDAgNIADBFAiAWttGm5CKb1D5ADObjvVPxdFYVUh1U/gqj
                JmGJ/UqDAgIhAL6BA4xjcpCNM1MWzZAABa3f7anzfTT08aRjgPDNr53r
                """,
            node: """
                MIICAjCCAaigAwIBAgIQQpgHXo6K1Jd2LeP7VhvPdDAKBggqhkjOPQQDAjBEMRwwGgYDVQQKDBNS
                ZXB1YmxpYyBvZiBOYW1pYmlhMQwwCgYDVQQLDANOQU0xFjAUBgNVBAMMDU5BTSBhdXRob3JpdHkw
                IBcNMTYwOTIwMDAwMDAwWhgPMjEwMDAxMDEwMDAwMDBaMD8xHDAaBgNVBAoME1JlcHVibGljIG9m
                IE5hbWliaWExDDAKBgNVBAsMA05BTTERMA8GA1UEAwwIV2luZGhvZWswWTATBgcqhkjOPQIBBggq
                hkjOPQMBBwNCAATw+W3jKtChoN7zq4b9otWIiSyU6NKj5uUmZaJhsUYpi3038Ne7+EcQFH/QZWfv
                hEAQuBDItLozJXzuOUoWS/tro38wfTAMBgNVHRMBAf8EAjAAMA4GA1UdDwEB/wQEAwIHgDAdBgNV
                HSUEFjAUBggrBgEFBQcDAQYIKwYBBQUHAwIwHQYDVR0OBBYEFJFCfvqOgB59tBHlKUO/6rw45vNU
                MB8GA1UdIwQYMBaAFIaTnFBVHxeKSXxfk0QO5TgEYTmXMAoGCCqGSM49BAMCA0gAMEUCIQCxwk09
                JGnLerR1XhvzA9v12L5gsOjN2oSOMXToxQx6CgIgM2hsWDa33C7oW/Dfn5ALjHoG4kkzjyj/vmIv
                iZf8Vd0=
                """),
        Identity(
            code: "CHL", city: "Santiago",
            authority: """
                MIIB6zCCAZCgAwIBAgIQRlHiCJUJcy/Rx07jiOhq+zAKBggqhkjOPQQDAjBCMRowGAYDVQQKDBFS
                ZXB1YmxpYyBvZiBDaGlsZTEMMAoGA1UECwwDQ0hMMRYwFAYDVQQDDA1DSEwgYXV0aG9yaXR5MCAX
                DTE2MDkyMDAwMDAwMFoYDzIxMDAwMTAxMDAwMDAwWjBCMRowGAYDVQQKDBFSZXB1YmxpYyBvZiBD
                aGlsZTEMMAoGA1UECwwDQ0hMMRYwFAYDVQQDDA1DSEwgYXV0aG9yaXR5MFkwEwYHKoZIzj0CAQYI
                KoZIzj0DAQcDQgAEFye9C1T1aqIaucChMiiYXMPncdyNboe0E6mMWmTd5vM1y1pKXYNUHTPjdYif
                6MVvEaDMSyBmu0i8TV5QBbTMbaNmMGQwEgYDVR0TAQH/BAgwBgEB/wIBADAOBgNVHQ8BAf8EBAMC
                AYYwHQYDVR0OBBYEFD87PhFYwCy8ChW1HyUyk8ZK4hXkMB8GA1UdIwQYMBaAFD87PhFYwCy8ChW1
                HyUyk8ZK4hXkMAoGCCqGSM49BAMCA0kAMEYCIQDDBvDGtoPjxkgWbjYJkR280WHyZKbauaMC6cfD
                cChXtwIhAIaY1ka8B+2tlzsPRZ+tit6p/Z+kERL96oLTfqdvS9XL
                """,
            node: """
                MIIB/zCCAaSgAwIBAgIQTQs+DF2XWxkUu1LcL27F7zAKBggqhkjOPQQDAjBCMRowGAYDVQQKDBFS
                ZXB1YmxpYyBvZiBDaGlsZTEMMAoGA1UECwwDQ0hMMRYwFAYDVQQDDA1DSEwgYXV0aG9yaXR5MCAX
                DTE2MDkyMDAwMDAwMFoYDzIxMDAwMTAxMDAwMDAwWjA9MRowGAYDVQQKDBFSZXB1YmxpYyBvZiBD
                aGlsZTEMMAoGA1UECwwDQ0hMMREwDwYDVQQDDAhTYW50aWFnbzBZMBMGByqGSM49AgEGCCqGSM49
                AwEHA0IABE9YTvhOXZQsqSIkctumIg3NSD1LykWDG8JJW9V+UljakT0ozbtLFsbnuYkxy2lMJ6u6
                PKMgEvgvEi67iQfZf9ujfzB9MAwGA1UdEwEB/wQCMAAwDgYDVR0PAQH/BAQDAgeAMB0GA1UdJQQW
                MBQGCCsGAQUFBwMBBggrBgEFBQcDAjAdBgNVHQ4EFgQU6sACTd5fo40NZ8q4uHz1gjhKXPUwHwYD
                VR0jBBgwFoAUPzs+EVjALLwKFbUfJTKTxkriFeQwCgYIKoZIzj0EAwIDSQAwRgIhAMn6Vt3EXqKe
                uPOfkJJjyHu8ppd41QWL3sBLLpsY5tYZAiEAjcHSn8/m+b/AqGmSj6NWW+N/mC04SzFZHSjYGcAX
                bvo=
                """),
        Identity(
            code: "FIN", city: "Helsinki",
            authority: """
                MIIB7zCCAZSgAwIBAgIQZU6oKRv6rW8sbhmCbayGEjAKBggqhkjOPQQDAjBEMRwwGgYDVQQKDBNS
                ZXB1YmxpYyBvZiBGaW5sYW5kMQwwCgYDVQQLDANGSU4xFjAUBgNVBAMMDUZJTiBhdXRob3JpdHkw
                IBcNMTYwOTIwMDAwMDAwWhgPMjEwMDAxMDEwMDAwMDBaMEQxHDAaBgNVBAoME1JlcHVibGljIG9m
                IEZpbmxhbmQxDDAKBgNVBAsMA0ZJTjEWMBQGA1UEAwwNRklOIGF1dGhvcml0eTBZMBMGByqGSM49
                AgEGCCqGSM49AwEHA0IABKLmsPwQimppHt5ZlgdCcL1IfIT228NnlnBdoQ2D5fQMzdPsN0usW5RR
                9ou0v5G8bBPaMnBKXx0wzBNusS1lYlmjZjBkMBIGA1UdEwEB/wQIMAYBAf8CAQAwDgYDVR0PAQH/
                BAQDAgGGMB0GA1UdDgQWBBSG03lpwvwJVxpKvkXS4uZgQ8ecqzAfBgNVHSMEGDAWgBSG03lpwvwJ
                VxpKvkXS4uZgQ8ecqzAKBggqhkjOPQQDAgNJADBGAiEAuM30cXg4HGudgyW2lT0k7BxKpz5agLHD
                MLCkPWl94BgCIQDVRuqaBWhsjpYm2WRJAxzGvryXkgDtdi3ys1qczlb+Rw==
                """,
            node: """
                MIICAjCCAaigAwIBAgIQShgTJavoK76+MRgS0ztfAzAKBggqhkjOPQQDAjBEMRwwGgYDVQQKDBNS
                ZXB1YmxpYyBvZiBGaW5sYW5kMQwwCgYDVQQLDANGSU4xFjAUBgNVBAMMDUZJTiBhdXRob3JpdHkw
                IBcNMTYwOTIwMDAwMDAwWhgPMjEwMDAxMDEwMDAwMDBaMD8xHDAaBgNVBAoME1JlcHVibGljIG9m
                IEZpbmxhbmQxDDAKBgNVBAsMA0ZJTjERMA8GA1UEAwwISGVsc2lua2kwWTATBgcqhkjOPQIBBggq
                hkjOPQMBBwNCAAQwh1dGMviA2PfAdmqP1DYSqSVOWG7V7UwwvRweQCaAtws19opq8jhVH6giSmrX
                AyBesnIfYQPGN6fEHhZ1DVp7o38wfTAMBgNVHRMBAf8EAjAAMA4GA1UdDwEB/wQEAwIHgDAdBgNV
                HSUEFjAUBggrBgEFBQcDAQYIKwYBBQUHAwIwHQYDVR0OBBYEFKfzbRPphe/kGmLoHUCTViAHp3cG
                MB8GA1UdIwQYMBaAFIbTeWnC/AlXGkq+RdLi5mBDx5yrMAoGCCqGSM49BAMCA0gAMEUCIBJdkegB
                Qu2NKPH0F2r82JpADVR7FU7gRTr9VFZLO250AiEAsMovse4NSI38hf7+9mfL5RDiYezeGvw1i4JG
                E5SRxNg=
                """),
    ]
}
