// A run of changes as it was found in a damaged database. What went before it, or even whose it is, may be lost; it is
// verified by its signature like one from a peer, as soon as the change before it is held.

import CBOR
import ConcordCrypto
import ConcordModel

/// Changes of one chain in a row, the last one signed.
public struct SalvagedRun: Hashable, Sendable {
    /// The space; nil if its row was lost.
    public var space: SpaceID?
    /// Whose changes.
    public var replica: ReplicaID
    /// The sequence of the first change.
    public var firstSequence: UInt64
    /// The mark of the change before; nil if that was lost.
    public var previous: Bytes16?
    /// The changes in their stored form.
    public var changes: [[UInt8]]
    /// The signature under the last one.
    public var signature: Signature
    /// Whether the damaged database wrote them itself.
    public var isOwn: Bool

    /// The sequence of the last change.
    public var lastSequence: UInt64 { firstSequence + UInt64(changes.count) - 1 }

    /// The run as a peer would send it, after the change with this mark.
    func run(after previous: Bytes16) -> ChangeRun {
        ChangeRun(
            replica: replica, firstSequence: firstSequence, previous: previous, changes: changes,
            signature: signature)
    }
}

extension SalvagedRun {
    private struct Malformed: Error {}
    private static let prefix = "concord salvaged 1"

    /// A file of runs: `[prefix, [[space or "", replica, first, previous or "", [changes], signature, own]…]]`.
    public static func encoded(_ runs: [SalvagedRun]) -> [UInt8] {
        var writer = CBORWriter(
            capacity: runs.reduce(64) { $0 + $1.changes.reduce(160) { $0 + $1.count + 4 } })
        writer.array(2)
        writer.text(prefix)
        writer.array(runs.count)
        for run in runs {
            writer.array(7)
            writer.byteString(run.space?.digest.bytes ?? [])
            writer.byteString(run.replica.bytes)
            writer.unsigned(run.firstSequence)
            writer.byteString(run.previous?.bytes ?? [])
            writer.array(run.changes.count)
            for change in run.changes { writer.byteString(change) }
            writer.byteString(run.signature.bytes)
            writer.unsigned(run.isOwn ? 1 : 0)
        }
        return writer.bytes
    }

    /// Reads ``encoded(_:)``.
    ///
    /// - Throws: ``ConcordError`` E-1010 if it is something else.
    public static func decoded(_ bytes: [UInt8]) throws -> [SalvagedRun] {
        do {
            var reader = CBORReader(bytes)
            try reader.array(count: 2)
            guard try reader.text(upTo: 64) == prefix else { throw Malformed() }
            let count = try reader.array(upTo: bytes.count)
            var runs: [SalvagedRun] = []
            for _ in 0..<count { runs.append(try decode(&reader)) }
            try reader.expectEnd()
            return runs
        } catch {
            throw ConcordError(.unreadableFile, "the file of salvaged changes is malformed")
        }
    }

    private static func decode(_ reader: inout CBORReader) throws -> SalvagedRun {
        try reader.array(count: 7)
        let space = Digest(bytes: try reader.byteString(upTo: 32)).map { SpaceID($0) }
        guard let replica = ReplicaID(bytes: try reader.byteString(count: 16)) else { throw Malformed() }
        let first = try reader.unsigned()
        let previous = Bytes16(try reader.byteString(upTo: 16))
        let changes = try (0..<reader.array(upTo: Limits.runBytes)).map { _ in
            try reader.byteString(upTo: Limits.changeBytes + Limits.erasedPartsBytes)
        }
        guard let signature = Signature(bytes: try reader.byteString(count: Signature.byteCount)) else {
            throw Malformed()
        }
        return SalvagedRun(
            space: space, replica: replica, firstSequence: first, previous: previous, changes: changes,
            signature: signature, isOwn: try reader.unsigned() == 1)
    }
}
