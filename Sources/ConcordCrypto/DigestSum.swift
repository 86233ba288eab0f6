// A sum of digests that forgets their order: what it costs to put one in or take one out does not depend on how many
// there are. It tells two sets of digests apart that differ by accident; it does not withstand somebody who may choose
// very many of them freely (D. Wagner, "A generalized birthday problem", 2002).

/// The sum of digests, read as big-endian numbers, modulo 2²⁵⁶.
public struct DigestSum: Hashable, Sendable {
    /// From the least significant.
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// The sum of nothing.
    public init() {}

    /// The sum that these 32 bytes stand for, big-endian.
    public init(_ digest: Digest) { words = (digest.word3, digest.word2, digest.word1, digest.word0) }

    /// The sum as 32 bytes, big-endian.
    public var digest: Digest { Digest(words: (words.3, words.2, words.1, words.0)) }

    /// Puts a digest in.
    public static func += (sum: inout DigestSum, digest: Digest) {
        var carry: UInt64 = 0
        func add(_ word: inout UInt64, _ other: UInt64) {
            let (first, overflow) = word.addingReportingOverflow(other)
            let (second, more) = first.addingReportingOverflow(carry)
            word = second
            carry = overflow || more ? 1 : 0
        }
        add(&sum.words.0, digest.word3)
        add(&sum.words.1, digest.word2)
        add(&sum.words.2, digest.word1)
        add(&sum.words.3, digest.word0)
    }

    /// Takes a digest out.
    public static func -= (sum: inout DigestSum, digest: Digest) {
        var borrow: UInt64 = 0
        func subtract(_ word: inout UInt64, _ other: UInt64) {
            let (first, overflow) = word.subtractingReportingOverflow(other)
            let (second, more) = first.subtractingReportingOverflow(borrow)
            word = second
            borrow = overflow || more ? 1 : 0
        }
        subtract(&sum.words.0, digest.word3)
        subtract(&sum.words.1, digest.word2)
        subtract(&sum.words.2, digest.word1)
        subtract(&sum.words.3, digest.word0)
    }

    public static func == (a: DigestSum, b: DigestSum) -> Bool { a.words == b.words }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }
}
