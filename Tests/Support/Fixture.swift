// Members with real keys and certificates, stores in temporary folders, and the exchange between them without
// any network: what the tests of this module have in common.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Foundation
import Testing

/// A member with its authority.
struct Party: Sendable {
    let code: String
    let key: PrivateKey
    let authority: Certificate

    init(_ code: String, _ name: String) throws {
        self.code = code
        key = try PrivateKey.generate()
        authority = try CertificateIssuer.authority(
            subject: CertificateSubject(memberCode: code, memberName: name, commonName: "\(code) authority"),
            key: key, notBefore: 1_700_000_000, notAfter: 2_500_000_000)
    }

    var id: MemberID { MemberID(authority: authority) }

    /// A node of this member.
    func node(_ name: String) throws -> Signer { try Signer(name, of: self) }

    /// A signed admission of another member.
    func admission(
        of other: Party, to space: SpaceID, as role: Role = .member, at timestamp: Int64 = 1
    ) throws -> SignedAct {
        let act = Admission(
            space: space, subject: try MemberStatement(authority: other.authority), role: role,
            predecessor: nil,
            timestamp: timestamp)
        return try SignedAct(act: act.encoded, key: key)
    }
}

/// A node's key and certificate.
struct Signer: NodeSigner {
    let certificate: Certificate
    let member: MemberID
    let key: PrivateKey

    init(certificate: Certificate, member: MemberID, key: PrivateKey) {
        self.certificate = certificate
        self.member = member
        self.key = key
    }

    init(_ name: String, of party: Party) throws {
        key = try PrivateKey.generate()
        member = party.id
        certificate = try CertificateIssuer.node(
            commonName: name, publicKey: key.publicKey, purpose: .signing, issuer: party.authority,
            issuerKey: party.key, notBefore: 1_700_000_000, notAfter: 2_500_000_000)
    }

    func sign(_ hash: Digest) throws -> Signature { try key.sign(hash, as: .change) }
}

/// A folder that goes when the test ends.
final class Folder: Sendable {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory.appendingPathComponent(
                "concord-store-" + hexadecimal(try Randomness.bytes(8))
            ).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A store with the node that writes in it.
final class Site: Sendable {
    let party: Party
    let signer: Signer
    let store: ReplicaStore
    let space: SpaceID
    private let folder: Folder

    var path: String { folder.path + "/replica.db" }

    init(
        _ party: Party, _ charter: SignedCharter, node: String = "hq", inviter: Party? = nil
    ) async throws {
        self.party = party
        folder = try Folder()
        signer = try party.node(node)
        store = try ReplicaStore(path: folder.path + "/replica.db")
        space = try await store.addSpace(charter, inviterAuthority: inviter?.authority.der)
    }

    /// A store that was opened elsewhere, for the same node.
    init(_ site: Site, store: ReplicaStore, folder: Folder) {
        party = site.party
        signer = site.signer
        space = site.space
        self.store = store
        self.folder = folder
    }

    @discardableResult
    func write(_ edits: RecordEdit..., at now: Int64 = 1_000, by author: String = "ana") async throws
        -> WrittenChange
    {
        try await store.write(edits, in: space, by: signer, author: author, now: now)
    }

    /// A new contact.
    func contact(_ name: String, at now: Int64 = 1_000) async throws -> RecordID {
        try await write(
            .create(kind: "contact", fields: [.set("name", .text(UTF8Text(name)))]), at: now
        ).created[0]
    }

    /// A new meeting.
    func meeting(_ title: String, at now: Int64 = 1_000) async throws -> RecordID {
        try await write(
            .create(kind: "meeting", fields: [.set("title", .text(UTF8Text(title)))]), at: now
        ).created[0]
    }

    func record(_ id: RecordID) throws -> RecordDocument { try store.record(id) }

    /// The error with which a write is refused.
    func refusal(_ edits: RecordEdit...) async -> ErrorCode? {
        do {
            _ = try await store.write(edits, in: space, by: signer, author: "ana", now: 1_000)
            return nil
        } catch {
            return (error as? ConcordError)?.code
        }
    }

    /// Everything that another site lacks.
    func runs(for other: Site, maximumBytes: Int = 1 << 20) throws -> [ChangeRun] {
        try allRuns(excluding: other.store.held(space).vector, maximumBytes: maximumBytes)
    }

    func allRuns(excluding known: VersionVector = VersionVector(), maximumBytes: Int = 1 << 20) throws
        -> [ChangeRun]
    {
        var runs: [ChangeRun] = []
        var position: Int64 = 0
        while true {
            let slice = try store.slice(space, after: position, excluding: known, maximumBytes: maximumBytes)
            runs += slice.runs
            if slice.isLast { return runs }
            #expect(slice.position > position, "a slice that is not the last one must get on")
            position = slice.position
        }
    }

    /// Sends another site all that it lacks.
    func send(to other: Site) async throws {
        while true {
            var known = try await store.compare(try other.store.held(space).heads, in: space).known
            // Of two branches the longer may hide the other from one side; the other side sees it.
            let branched = Set(try store.nodes(space).filter { $0.forkedAt != nil }.map(\.replica))
            for replica in try await other.store.compare(try store.held(space).heads, in: space).forked
            where !branched.contains(replica) {
                known[replica] = 0
            }
            let outcome = try await other.store.receive(try allRuns(excluding: known), in: space)
            #expect(outcome.refusal == nil)
            #expect(outcome.heldBack == 0)
            if outcome.forked == nil || outcome.refusal != nil { break }
        }
        let heads = try store.held(space).heads
        let comparison = try await other.store.compare(heads, in: space)
        #expect(comparison.forked.isEmpty)
        for head in heads where comparison.known[head.dot.replica] < head.dot.sequence {
            let isHeld = try other.store.held(space).heads.contains(head)
            #expect(isHeld, "\(head.dot) did not arrive")
        }
    }
}

/// Founders who share one space.
struct World: Sendable {
    let parties: [Party]
    let charter: SignedCharter

    init(_ codes: String..., admission: UInt64 = 1, suspension: UInt64 = 2) throws {
        parties = try codes.map { try Party($0, "State of \($0)") }
        let founders = try parties.map { try MemberStatement(authority: $0.authority) }
        charter = try SignedCharter(
            charter: Charter(
                name: "Focal points", timestamp: 1, founders: founders, admissionThreshold: admission,
                suspensionThreshold: suspension), key: parties[0].key)
    }

    func site(_ index: Int, node: String = "hq") async throws -> Site {
        try await Site(parties[index], charter, node: node)
    }
}

/// Sends everything in both directions until all hold the same.
func exchange(_ sites: Site...) async throws {
    for _ in 0..<2 {
        for a in sites {
            for b in sites where a !== b { try await a.send(to: b) }
        }
    }
}

/// Checks that sites which hold the same see the same, and that each of them verifies.
func expectEqual(_ sites: [Site], sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let first = sites[0]
    let expected = try await first.store.heldWithDigest(first.space)
    let records = try first.store.records(RecordQuery(includeDeleted: true)).sorted { $0.id < $1.id }
    for site in sites {
        let found = try await site.store.heldWithDigest(site.space)
        #expect(found.summary.hash == expected.summary.hash, sourceLocation: sourceLocation)
        #expect(found.digest == expected.digest, sourceLocation: sourceLocation)
        let others = try site.store.records(RecordQuery(includeDeleted: true)).sorted { $0.id < $1.id }
        #expect(others == records, sourceLocation: sourceLocation)
        let report = try await site.store.verify()
        #expect(report.problems == [], sourceLocation: sourceLocation)
        #expect(report.spaces.map(\.digest) == [expected.digest.description], sourceLocation: sourceLocation)
    }
}

/// A small generator whose whole history follows from its seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}

func text(_ value: String) -> Value { .text(UTF8Text(value)) }
