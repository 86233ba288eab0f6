// A record's id is a function of the operation that creates it, so nobody can claim another's record or create it
// again (rule A3). The time in front orders ids by age, which SQLite's indexes like.

import CBOR
import ConcordCrypto

extension RecordID {
    /// The id of the record that entry number `index` of change `dot` creates.
    ///
    /// 48 bits of the change's timestamp, version 7, 12 bits of `index`, variant 10, and the first 62 bits of
    /// SHA-256 of the deterministic CBOR `[space, kind, replica, sequence, index]`.
    public init(space: SpaceID, kind: UTF8Text, dot: Dot, index: Int, timestamp: Int64) {
        var writer = CBORWriter(capacity: 128)
        writer.array(5)
        writer.digest(space.digest)
        writer.text(kind.string)
        writer.byteString(high: dot.replica.value.high, low: dot.replica.value.low)
        writer.unsigned(dot.sequence)
        writer.unsigned(UInt64(index))
        let tail = SHA256.hash(writer.bytes).mark.high
        self.init(
            Bytes16(high: Self.prefix(timestamp: timestamp, index: index), low: 1 << 63 | tail >> 2))
    }

    /// The first 64 bits of the id of a record that entry number `index` of a change with this timestamp creates.
    static func prefix(timestamp: Int64, index: Int) -> UInt64 {
        UInt64(truncatingIfNeeded: timestamp) << 16 | 0x7000 | UInt64(index) & 0xfff
    }

    /// The milliseconds since 1970 that the id carries.
    public var timestamp: Int64 { Int64(value.high >> 16) }
}
