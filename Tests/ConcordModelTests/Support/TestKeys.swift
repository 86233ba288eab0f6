// Private keys for tests and test vectors. They are published with the source: nothing real is ever signed with them.

import ConcordCrypto
import ConcordModel

/// A member of the tests: a fixed authority key and certificates made when the tests run.
struct TestMember {
    let key: PrivateKey
    let certificate: Certificate
    let statement: MemberStatement

    private static let shared = Result { try (0..<TestKeys.count).map(TestMember.init) }

    /// All members of the tests, with certificates that are made once.
    static func all() throws -> [TestMember] { try shared.get() }

    var id: MemberID { statement.id }

    /// The member number `index`, of at most ``TestKeys/count``.
    init(_ index: Int) throws {
        key = try TestKeys.key(index)
        let subject = CertificateSubject(
            memberCode: "M\(index)", memberName: "Member \(index)", commonName: "M\(index) authority")
        certificate = try CertificateIssuer.authority(
            subject: subject, key: key, notBefore: 1_700_000_000, notAfter: 4_000_000_000)
        statement = try MemberStatement(authority: certificate)
    }

    /// A certificate for the signing key of one of its nodes.
    func node(_ name: String, key nodeKey: PrivateKey) throws -> Certificate {
        try CertificateIssuer.node(
            commonName: name, publicKey: nodeKey.publicKey, purpose: .signing, issuer: certificate,
            issuerKey: key,
            notBefore: 1_700_000_000, notAfter: 4_000_000_000)
    }
}

enum TestKeys {
    static let count = 6

    static func key(_ index: Int) throws -> PrivateKey { try PrivateKey(pem: pem(index)) }

    static func pem(_ index: Int) -> String {
        "-----BEGIN PRIVATE KEY-----\n\(bodies[index])\n-----END PRIVATE KEY-----\n"
    }

    private static let bodies = [
        """
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYFwlLUZNRY5b/aaq
        GlN6A6eCqJdGqd4SXRPYSCr5NbChRANCAAQlaIHEi4zg0HwutFWw/oqK4s8UPbQt
        fP5remUlxg3EPXwlYTymwnh3cQkpeHJADwmm+vfhOM7obzMjSRe2mfp3
        """,
        """
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTgtSLjxI9U/ydq7c
        tSEZlMOZliW2kc1anLWDVATkamKhRANCAAR6Eehi4dpjZR/noyo3YMcInMXJKpvh
        F8Z7zv0pmuDjvO8hkupPx/8eGApEuCyHJLKHlCdveWVbW5Wc6nBOWHmm
        """,
        """
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjrq+Ei7UyCItROYi
        5prw0TaPc+teZSZrBV9JqoYsdhyhRANCAAS7KkYSwyG7l55c5dtSB18SBEh1+/HC
        uKWLm3OaDfFuNlUBkl3RzYldxn+FUHiT8GIEcWFzWpBbES2d21UJAklO
        """,
        """
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgsLUHAozirY+9xcc6
        V11u0OPiHMuxMYWn9iQbh3XiCa+hRANCAAR+DFHY99jzR/JBF6zj3jHOG1ffMPyJ
        UpAFqtE9So3M0CotvxiaZurbe8owKwpsF7XN62/u1foV7ByHHTsUvB9d
        """,
        """
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHcbup1jgMTWyl1A0
        1LhfH/GiATjU9OTkhAWcaQdvNYuhRANCAAT9fCPX2ctTvqkD4DwS0FVfQHQBrKhr
        8vToyHKO7UjfvmzJa4XYM6r1yv7nnUJu1l8H04bUc+4eWzYEI7F4qygM
        """,
        """
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgW9PhZkjXj8qqv9n9
        KrAYAYEw2pt3JsuMcPOsyvhqzW+hRANCAAQPWC09IiX3QzCL61A2f/KYE9CSh8A9
        ZGvDCS2ixF+OzTEBJfloXnVB+DFshnIxEPRMy0lkS1sTUt9KkXYGKJOq
        """,
    ]
}
