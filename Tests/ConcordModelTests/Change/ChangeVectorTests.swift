// Protocol/vectors/changes.json shows every implementation a small history byte by byte: keys, charter, the chains of
// two nodes, and stored forms that must be refused. This implementation must agree with it.
//
// `CONCORD_WRITE_VECTORS=1 swift test --filter ChangeVector` writes the file anew, after a deliberate change of the
// format. Signatures and certificates differ each time it is written, since ECDSA is randomised; all else is fixed.

import CBOR
import ConcordCrypto
import ConcordModel
import Foundation
import Testing

/// The file's shape. Bytes are hexadecimal digits.
struct ChangeVectors: Codable {
    struct Keys: Codable {
        /// PKCS#8 PEM, for tests only.
        let authority: String
        let nodes: [String]
    }

    struct ChainedChange: Codable {
        let note: String
        let replica: String
        let sequence: UInt64
        let previous: String
        let dependencies: [Dependency]
        let stored: String
        let canonical: String
        let hash: String
        /// By the key that the replica's first change binds, with the prefix "concord/1 change".
        let signature: String
        /// The ids of the records that the change creates, in order.
        let records: [String]
        /// The name that a branch beginning with this change would have.
        let branch: String
    }

    struct Dependency: Codable {
        let dot: String
        let hash: String
    }

    /// Another form of a change of ``changes``, with the same hash.
    struct Erased: Codable {
        let note: String
        let replica: String
        let sequence: UInt64
        /// The places of the erased entries, ascending.
        let entries: [Int]
        let stored: String
        /// How many bytes count towards the limits.
        let counted: Int
    }

    struct Refused: Codable {
        let note: String
        let replica: String
        let sequence: UInt64
        let stored: String
        let code: String
    }

    let description: String
    let keys: Keys
    let charter: String
    let space: String
    let member: String
    let changes: [ChainedChange]
    let erased: [Erased]
    let refused: [Refused]

    static let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(
            path: "Protocol/vectors/changes.json")

    static func load() throws -> ChangeVectors {
        try JSONDecoder().decode(ChangeVectors.self, from: Data(contentsOf: file))
    }
}

@Suite("Changes: vectors", .serialized)
struct ChangeVectorTests {
    private static let isWriting = ProcessInfo.processInfo.environment["CONCORD_WRITE_VECTORS"] == "1"

    @Test("the file is written anew", .enabled(if: isWriting))
    func write() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var bytes = try encoder.encode(try ChangeVectors.make())
        bytes.append(0x0a)
        try bytes.write(to: ChangeVectors.file)
    }

    @Test("charter, member and space follow from each other")
    func charter() throws {
        let vectors = try ChangeVectors.load()
        let charter = try Charter(encoded: unhex(vectors.charter))
        #expect(charter.space.description == vectors.space)
        #expect(charter.founders.map(\.id.description) == [vectors.member])
        let authority = try PrivateKey(pem: vectors.keys.authority)
        #expect(authority.publicKey.fingerprint.description == vectors.member)
    }

    @Test("stored forms are canonical, and give the canonical forms and hashes of the file")
    func hashes() throws {
        let vectors = try ChangeVectors.load()
        let space = try vectors.spaceID()
        var hashes: [Dot: Digest] = [:]
        #expect(vectors.changes.count >= 6)
        for vector in vectors.changes {
            let dot = Dot(try replica(vector.replica), vector.sequence)
            let change = try Change(encoded: unhex(vector.stored))
            #expect(hexadecimal(change.encoded()) == vector.stored, "\(vector.note)")
            #expect(throws: Never.self, "\(vector.note)") {
                try change.checkWellFormed(space: space, dot: dot)
            }
            let named = try vector.dependencies.map {
                Dependency(try #require(Dot(text: $0.dot)), hash: try #require(Digest(hex: $0.hash)))
            }
            #expect(change.dependencies == named, "\(vector.note)")
            let previous =
                dot.sequence == 1
                ? Change.chainRoot(space: space, replica: dot.replica)
                : hashes[Dot(dot.replica, dot.sequence - 1)]
            #expect(previous?.description == vector.previous, "\(vector.note)")
            for dependency in vector.dependencies {
                #expect(hashes[try #require(Dot(text: dependency.dot))]?.description == dependency.hash)
            }
            let context = ChangeContext(
                space: space, dot: dot, previous: try #require(previous),
                dependencies: try vector.dependencies.map { try #require(Digest(hex: $0.hash)) })
            #expect(hexadecimal(change.canonicalForm(in: context)) == vector.canonical, "\(vector.note)")
            #expect(SHA256.hash(try unhex(vector.canonical)).description == vector.hash, "\(vector.note)")
            let hash = change.hash(in: context)
            hashes[dot] = hash
            #expect(hash.description == vector.hash, "\(vector.note)")
            #expect(ReplicaID(branchBeginningWith: hash).description == vector.branch, "\(vector.note)")
        }
    }

    @Test("erased forms follow from the full ones, and give the same canonical forms")
    func erased() throws {
        let vectors = try ChangeVectors.load()
        #expect(vectors.erased.count >= 3)
        for vector in vectors.erased {
            let full = try #require(
                vectors.changes.first { $0.replica == vector.replica && $0.sequence == vector.sequence })
            let erased = try Change(encoded: unhex(vector.stored))
            #expect(erased.entries.indices.filter(erased.isErased) == vector.entries, "\(vector.note)")
            let made = try Change(encoded: unhex(full.stored)).erasing(entries: Set(vector.entries))
            #expect(made == erased && hexadecimal(made.encoded()) == vector.stored, "\(vector.note)")
            #expect(erased.countedBytes(vector.stored.count / 2) == vector.counted, "\(vector.note)")
            let dot = Dot(try replica(vector.replica), vector.sequence)
            #expect(throws: Never.self) { try erased.checkWellFormed(space: vectors.spaceID(), dot: dot) }
            let context = ChangeContext(
                space: try vectors.spaceID(), dot: dot, previous: try #require(Digest(hex: full.previous)),
                dependencies: try full.dependencies.map { try #require(Digest(hex: $0.hash)) })
            #expect(hexadecimal(erased.canonicalForm(in: context)) == full.canonical, "\(vector.note)")
        }
    }

    @Test("signatures verify with the key that the chain binds, and with no other")
    func signatures() throws {
        let vectors = try ChangeVectors.load()
        let authority = try PrivateKey(pem: vectors.keys.authority).publicKey
        let nodes = try vectors.keys.nodes.map { try PrivateKey(pem: $0).publicKey }
        var bound: [String: PublicKey] = [:]
        for vector in vectors.changes {
            if case .bind(let binding)? = try Change(encoded: unhex(vector.stored)).entries.first?.operations
                .first
            {
                let certificate = try Certificate(der: binding.certificate)
                let derived = ReplicaID(
                    space: try vectors.spaceID(), member: binding.member,
                    node: NodeID(certificate: certificate),
                    nonce: binding.nonce)
                #expect(derived.description == vector.replica && binding.member.description == vectors.member)
                #expect(certificate.isSigned(by: authority) && certificate.purpose == .signing)
                #expect(nodes.contains(certificate.publicKey))
                bound[vector.replica] = certificate.publicKey
            }
            let key = try #require(bound[vector.replica])
            let hash = try #require(Digest(hex: vector.hash))
            let signature = try #require(Signature(bytes: unhex(vector.signature)))
            #expect(key.isValid(signature, for: hash, as: .change), "\(vector.note)")
            #expect(!key.isValid(signature, for: hash, as: .act))
            for other in nodes where other != key {
                #expect(!other.isValid(signature, for: hash, as: .change))
            }
        }
        #expect(bound.count == 2)
    }

    @Test("record ids follow from the operations that create the records")
    func records() throws {
        let vectors = try ChangeVectors.load()
        for vector in vectors.changes {
            let change = try Change(encoded: unhex(vector.stored))
            let dot = Dot(try replica(vector.replica), vector.sequence)
            let derived: [RecordID] = try change.entries.enumerated().compactMap { index, entry in
                guard case .create(let kind, _)? = entry.operations.first else { return nil }
                return RecordID(
                    space: try vectors.spaceID(), kind: kind, dot: dot, index: index,
                    timestamp: change.timestamp)
            }
            #expect(derived.map(\.description) == vector.records, "\(vector.note)")
        }
        #expect(vectors.changes.reduce(0) { $0 + $1.records.count } >= 3)
    }

    @Test("what the file lists as refused is refused with its code")
    func refused() throws {
        let vectors = try ChangeVectors.load()
        #expect(vectors.refused.count >= 10)
        for vector in vectors.refused {
            let error = refusal {
                let change = try Change(encoded: unhex(vector.stored))
                try change.checkWellFormed(
                    space: vectors.spaceID(), dot: Dot(replica(vector.replica), vector.sequence))
            }
            #expect(error?.code.rawValue == vector.code, "\(vector.note)")
        }
    }
}

private func unhex(_ digits: String) throws -> [UInt8] { try #require(bytes(hexadecimal: digits)) }

private func replica(_ digits: String) throws -> ReplicaID { try #require(ReplicaID(bytes: unhex(digits))) }

extension ChangeVectors {
    fileprivate func spaceID() throws -> SpaceID { SpaceID(try #require(Digest(hex: space))) }
}
