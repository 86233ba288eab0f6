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
            writer.byteString(seed.bytes)
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
        precondition(context.dependencies.count == dependencies.count)
        var writer = CBORWriter(capacity: 224)
        writer.array(8)
        writer.digest(context.space.digest)
        writer.byteString(context.dot.replica.bytes)
        writer.unsigned(context.dot.sequence)
        writer.digest(context.previous)
        writer.array(context.dependencies.count)
        for dependency in context.dependencies { writer.digest(dependency) }
        writer.unsigned(UInt64(timestamp))
        var label = CBORWriter(capacity: authorLabel.byteCount + 4)
        label.text(authorLabel.string)
        writer.digest(SHA256.hash(salt(0).bytes, label.bytes))
        var digests: [UInt8] = []
        digests.reserveCapacity(entries.count * 32)
        for index in entries.indices { entryDigest(index).append(to: &digests) }
        writer.digest(SHA256.hash(digests))
        return writer.bytes
    }

    /// H(header ‖ H(salt ‖ values)) of entry `index`.
    func entryDigest(_ index: Int) -> Digest {
        var header = CBORWriter(capacity: 256)
        entries[index].writeHeader(to: &header)
        header.encoded(valuesDigest(index).bytes)
        return SHA256.hash(header.bytes)
    }

    /// H(salt ‖ values) of entry `index`, of which an erased entry keeps nothing else.
    func valuesDigest(_ index: Int) -> Digest {
        if case .parts(let parts) = salts, entries[index].isErased { return parts[index + 1] }
        var values = CBORWriter(capacity: 256)
        values.encoded(salt(index + 1).bytes)
        entries[index].writeValues(to: &values)
        return SHA256.hash(values.bytes)
    }
}
