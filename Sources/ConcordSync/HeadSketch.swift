// What many heads look like in short: hashes of ranges of them, so that two sides which hold nearly the same show
// each other only the heads of the ranges that differ. The hashes are short and salted with both sides' random
// numbers: nobody can prepare two histories that look alike.

import CBOR
import ConcordCrypto
import ConcordModel

/// The hashes of the heads by ranges of their replicas' ids.
public struct HeadSketch: Hashable, Sendable {
    /// Up to so many heads on both sides they are shown at once: a sketch would save nothing.
    public static let smallHeads: UInt64 = 64
    /// The bytes of one range's hash.
    static let hashBytes = 8
    /// How many heads there should be in a range, about.
    private static let headsPerRange: UInt64 = 8
    private static let largestBits = 11
    static let maximumBytes = hashBytes << largestBits

    /// The hashes, one after the other.
    let bytes: [UInt8]
    /// The logarithm of the number of ranges.
    let bits: Int

    /// Reads a sketch; nil if it has not a power of two of ranges.
    init?(bytes: [UInt8]) {
        let ranges = bytes.count / Self.hashBytes
        guard ranges > 0, ranges & (ranges - 1) == 0, bytes.count % Self.hashBytes == 0,
            bytes.count <= Self.maximumBytes
        else { return nil }
        self.bytes = bytes
        bits = ranges.trailingZeroBitCount
    }

    /// The sketch of these heads in `1 << bits` ranges.
    ///
    /// - Parameter salt: the same on both sides, and known to nobody before.
    init(_ heads: [ChainHead], bits: Int, salt: [UInt8]) {
        var ranges = [CBORWriter](repeating: CBORWriter(capacity: 400), count: 1 << bits)
        for head in heads {
            let range = Self.range(of: head.dot.replica, bits: bits)
            ranges[range].dependencies([head])
        }
        bytes = ranges.flatMap { SHA256.hash(salt, $0.bytes).bytes.prefix(Self.hashBytes) }
        self.bits = bits
    }

    /// How finely two sides divide, the larger of which shows `headCount` heads; nil if they show all at once.
    static func bits(headCount: UInt64) -> Int? {
        guard headCount > smallHeads else { return nil }
        var bits = 1
        while bits < largestBits, headCount / headsPerRange > 1 << UInt64(bits) { bits += 1 }
        return bits
    }

    /// What both sides put before what they hash.
    static func salt(_ one: Bytes16, _ other: Bytes16) -> [UInt8] {
        one < other ? one.bytes + other.bytes : other.bytes + one.bytes
    }

    /// Divides heads into those of ranges that look the same in both sketches and the others.
    func divide(_ heads: [ChainHead], against other: HeadSketch) -> (equal: [ChainHead], unequal: [ChainHead])
    {
        let isEqual = (0..<1 << bits).map { range in
            let place = range * Self.hashBytes..<(range + 1) * Self.hashBytes
            return bytes[place] == other.bytes[place]
        }
        var (equal, unequal): ([ChainHead], [ChainHead]) = ([], [])
        for head in heads {
            if isEqual[Self.range(of: head.dot.replica, bits: bits)] {
                equal.append(head)
            } else {
                unequal.append(head)
            }
        }
        return (equal, unequal)
    }

    /// The first bits of the hash of the replica's id: ids that somebody chooses alike are spread all the same.
    private static func range(of replica: ReplicaID, bits: Int) -> Int {
        let hash = SHA256.hash(replica.bytes).bytes
        return (Int(hash[0]) << 8 | Int(hash[1])) >> (16 - bits)
    }
}
