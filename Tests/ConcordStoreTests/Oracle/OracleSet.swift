// A set of changes, as bits: the changes stand in the order in which the oracle learned of them.

/// A set of small numbers.
struct OracleSet: Hashable, Sequence {
    private var words: [UInt64] = []

    init() {}

    init(_ members: some Sequence<Int>) {
        for member in members { insert(member) }
    }

    mutating func insert(_ member: Int) {
        while words.count <= member / 64 { words.append(0) }
        words[member / 64] |= 1 << UInt64(member % 64)
    }

    func contains(_ member: Int) -> Bool {
        member / 64 < words.count && words[member / 64] >> UInt64(member % 64) & 1 == 1
    }

    mutating func formUnion(_ other: OracleSet) {
        while words.count < other.words.count { words.append(0) }
        for index in other.words.indices { words[index] |= other.words[index] }
    }

    /// What both hold. Without trailing zeros, so that equal sets are equal values.
    func intersection(_ other: OracleSet) -> OracleSet {
        var result = OracleSet()
        result.words = zip(words, other.words).map { $0 & $1 }
        while result.words.last == 0 { result.words.removeLast() }
        return result
    }

    func isSubset(of other: OracleSet) -> Bool {
        words.indices.allSatisfy { index in
            words[index] & ~(index < other.words.count ? other.words[index] : 0) == 0
        }
    }

    func makeIterator() -> AnyIterator<Int> {
        var (index, rest) = (0, words.first ?? 0)
        let words = words
        return AnyIterator {
            while rest == 0 {
                index += 1
                guard index < words.count else { return nil }
                rest = words[index]
            }
            let bit = rest.trailingZeroBitCount
            rest &= rest - 1
            return index * 64 + bit
        }
    }
}
