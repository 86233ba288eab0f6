// The parts of a space's digest. Every record belongs to one of 4,096 buckets by the last twelve bits of its
// id, which are bits of a hash; a change marks the buckets of its records, and only marked ones are read
// again when somebody asks for the digest.

import ConcordCrypto
import ConcordModel

/// The digests of the buckets of one space, as far as they are known, and which of them are out of date.
struct Buckets {
    static let count = 4096

    /// The digests, empty until they are read.
    var digests: [Digest] = []
    private var isDirty = [Bool](repeating: false, count: Buckets.count)
    /// The buckets that are out of date.
    private(set) var dirty: [Int] = []

    static func bucket(of record: RecordID) -> Int { Int(record.value.low & UInt64(count - 1)) }

    /// Marks a bucket; false if it was marked already.
    mutating func mark(_ bucket: Int) -> Bool {
        guard !isDirty[bucket] else { return false }
        isDirty[bucket] = true
        dirty.append(bucket)
        return true
    }

    /// Takes all marks away.
    mutating func clean() {
        for bucket in dirty { isDirty[bucket] = false }
        dirty = []
    }
}
