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
        writer.byteString(space.digest.bytes)
        writer.text(kind.string)
        writer.byteString(dot.replica.bytes)
        writer.unsigned(dot.sequence)
        writer.unsigned(UInt64(index))
        let hash = SHA256.hash(writer.bytes).bytes
        var tail: UInt64 = 0
        for byte in hash.prefix(8) { tail = tail << 8 | UInt64(byte) }
        let time = UInt64(timestamp) & 0xffff_ffff_ffff
        self.init(
            Bytes16(high: time << 16 | 0x7000 | UInt64(index) & 0xfff, low: 1 << 63 | tail >> 2))
    }

    /// The milliseconds since 1970 that the id carries.
    public var timestamp: Int64 { Int64(value.high >> 16) }
}
