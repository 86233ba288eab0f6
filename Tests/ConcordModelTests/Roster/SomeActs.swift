// One act of each kind for the tests, and the parts of acts written by hand.

import CBOR
import ConcordCrypto
import ConcordModel

/// Acts of one space about the members of the tests.
struct SomeActs {
    let space: SpaceID
    let members: [TestMember]

    init(_ space: SpaceID = someSpace) throws {
        self.space = space
        members = try TestMember.all()
    }

    func admit(
        _ subject: Int, _ role: Role = .member, after predecessor: Int? = nil, at timestamp: Int64 = 0
    ) -> Admission {
        Admission(
            space: space, subject: members[subject].statement, role: role,
            predecessor: predecessor.map { members[$0].id }, timestamp: timestamp)
    }

    func suspend(_ subject: Int, keeps: [Dot] = [], at timestamp: Int64 = 0) -> Suspension {
        Suspension(
            space: space, subject: members[subject].id, keeps: VersionVector(keeps), reason: "a reason",
            timestamp: timestamp)
    }

    func reinstate(_ subject: Int, _ suspensions: [Suspension], at timestamp: Int64 = 0) -> Reinstatement {
        Reinstatement(
            space: space, subject: members[subject].id, suspensions: suspensions.map(\.hash),
            timestamp: timestamp)
    }

    func revoke(_ node: NodeID, keeps: [Dot] = []) -> Revocation {
        Revocation(space: space, node: node, keeps: VersionVector(keeps), reason: "stolen", timestamp: 0)
    }

    func leave(_ subject: Int, _ standing: [Digest], keeps: [Dot] = [], at timestamp: Int64 = 0) -> Departure
    {
        Departure(
            space: space, subject: members[subject].id, standing: standing, keeps: VersionVector(keeps),
            timestamp: timestamp)
    }

    /// The subject names the authority key of another of the test members as its own.
    func rotate(_ subject: Int, from old: Int, to new: Int, at timestamp: Int64 = 0) throws -> Rotation {
        try Rotation(
            space: space, subject: members[subject].id, replaces: members[old].key.publicKey.fingerprint,
            certificate: members[new].certificate.der, key: members[new].key, timestamp: timestamp)
    }

    func appoint(
        _ office: UTF8Text, _ holders: [Int], replacing: [Appointment] = [], at timestamp: Int64 = 0
    ) -> Appointment {
        Appointment(
            space: space, office: office, holders: holders.map { members[$0].id },
            replaces: replacing.map(\.hash), timestamp: timestamp)
    }

    func endorse(_ text: String) -> TextEndorsement {
        TextEndorsement(space: space, document: 9, text: SHA256.hash(Array(text.utf8)), timestamp: 0)
    }

    func erase(_ subject: Int, _ changes: [Dot], record: RecordID = 7) -> Erasure {
        Erasure(
            space: space, subject: members[subject].id, record: record, changes: changes, reason: "asked for",
            timestamp: 0)
    }

    /// One of each kind.
    func all() throws -> [(act: Act, form: any FormalAct)] {
        let admission = admit(2, .observer, after: 3, at: Limits.timestamp)
        let suspension = suspend(1, keeps: [Dot(1, 5), Dot(2, 9)])
        let reinstatement = reinstate(1, [suspension, suspend(1, at: 7)])
        let revocation = revoke(NodeID(SHA256.hash([1])), keeps: [Dot(4, 4)])
        let departure = leave(2, [space.digest, admission.hash], keeps: [Dot(1, 1)])
        let rotation = try rotate(0, from: 0, to: 5)
        let appointment = appoint("troika", [2, 0, 1], replacing: [appoint("troika", [3])])
        let endorsement = endorse("a text")
        let erasure = erase(4, [Dot(2, 1), Dot(1, 1)])
        return [
            (.admission(admission), admission), (.suspension(suspension), suspension),
            (.reinstatement(reinstatement), reinstatement), (.revocation(revocation), revocation),
            (.departure(departure), departure), (.rotation(rotation), rotation),
            (.appointment(appointment), appointment), (.endorsement(endorsement), endorsement),
            (.erasure(erasure), erasure),
        ]
    }

    /// The act as each of these members signed it with its founding key, where that is theirs to do.
    func endorsements(_ form: some FormalAct, by signers: [Int]) throws -> [Endorsement] {
        let act = try Act(encoded: form.encoded)
        return signers.map { Endorsement(signer: members[$0].id, hash: form.hash, act: act) }
    }

    func sign(_ form: some FormalAct, as signer: Int, key: Int? = nil) throws -> SignedAct {
        try SignedAct(act: form.encoded, signer: members[signer].id, key: members[key ?? signer].key)
    }
}

/// An act by hand: kind, space, and what `write` writes.
func actBytes(_ kind: String, _ parts: Int, _ write: (inout CBORWriter) -> Void) -> [UInt8] {
    var writer = CBORWriter()
    writer.array(parts)
    writer.text(kind)
    writer.digest(someSpace.digest)
    write(&writer)
    return writer.bytes
}
