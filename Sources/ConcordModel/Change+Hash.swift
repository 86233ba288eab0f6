// What is hashed and signed. Values enter through a salted hash of their own, so that they can be erased while the
// chain still verifies, and so that a short value cannot be guessed from its hash (Protocol/changes.md, "Hash").

import CBOR
import ConcordCrypto

extension Change {
    private static let rootPrefix = Array("concord/1 chain".utf8)

    /// What the first change of a chain names as its predecessor: SHA-256 of prefix, space and replica.
    public static func chainRoot(space: SpaceID, replica: ReplicaID) -> Digest {
        SHA256.hash(rootPrefix, space.digest.bytes, replica.bytes)
    }

    /// The salt number `index`: 0 for the author's label, `i + 1` for entry `i`, which must not be erased.
    func salt(_ index: Int) -> Digest {
        switch salts {
        case .seed(let seed):
            var writer = CBORWriter(capacity: 24)
            writer.byteString(high: seed.high, low: seed.low)
            writer.unsigned(UInt64(index))
            return SHA256.hash(writer.bytes)
        case .parts(let parts): return parts[index]
        }
    }

    /// The change's hash: SHA-256 of its canonical form.
    public func hash(in context: ChangeContext) -> Digest {
        SHA256.hash(canonicalForm(in: context))
    }

    /// The canonical form: deterministic CBOR of
    /// `[space, replica, sequence, previous, [dependency hashes], timestamp, label hash, entries hash]`.
    public func canonicalForm(in context: ChangeContext) -> [UInt8] {
        let (bytes, layout) = encodedWithLayout()
        return canonicalForm(in: context, stored: bytes, layout)
    }

    /// The canonical form of a change whose stored form is at hand.
    func canonicalForm(in context: ChangeContext, stored: [UInt8], _ layout: ChangeLayout) -> [UInt8] {
        precondition(context.dependencies.count == dependencies.count)
        var writer = CBORWriter(capacity: 224)
        writer.array(8)
        writer.digest(context.space.digest)
        writer.byteString(high: context.dot.replica.value.high, low: context.dot.replica.value.low)
        writer.unsigned(context.dot.sequence)
        writer.digest(context.previous)
        writer.array(context.dependencies.count)
        for dependency in context.dependencies { writer.digest(dependency) }
        writer.unsigned(UInt64(timestamp))
        writer.digest(SHA256.hash(salt(0), stored, layout.author))
        var digests: [UInt8] = []
        digests.reserveCapacity(entries.count * Digest.byteCount)
        for index in entries.indices {
            let values = valuesDigest(index, stored, layout)
            SHA256.hash(stored, layout.entries[index].header, values).append(to: &digests)
        }
        writer.digest(SHA256.hash(digests))
        return writer.bytes
    }

    /// H(salt ‖ values) of entry `index`, of which an erased entry keeps nothing else.
    func valuesDigest(_ index: Int, _ stored: [UInt8], _ layout: ChangeLayout) -> Digest {
        if case .parts(let parts) = salts, entries[index].isErased { return parts[index + 1] }
        return SHA256.hash(salt(index + 1), stored, layout.entries[index].values)
    }
}

/// A change with its stored form, decoded once for everything that needs either.
public struct StoredChange: Sendable {
    /// The change.
    public let change: Change
    /// Its stored form.
    public let bytes: [UInt8]
    private let layout: ChangeLayout

    /// A change that is made here, with its stored form.
    public init(_ change: Change) {
        self.change = change
        (bytes, layout) = change.encodedWithLayout()
    }

    /// The change of a stored form.
    ///
    /// - Throws: ``ConcordError`` E-3001 if the bytes are not canonical, E-3002 if a limit is passed.
    public init(encoded bytes: [UInt8]) throws {
        var layout = ChangeLayout()
        change = try Change(encoded: bytes, layout: &layout)
        self.bytes = bytes
        self.layout = layout
    }

    /// The change's hash at its place.
    public func hash(in context: ChangeContext) -> Digest {
        SHA256.hash(change.canonicalForm(in: context, stored: bytes, layout))
    }
}
