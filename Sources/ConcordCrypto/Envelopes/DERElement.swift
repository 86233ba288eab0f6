// As much of DER (X.690) as it takes to find one's way in an envelope: elements of one-byte tags and definite lengths in
// their shortest form. Whatever else there is, is refused.

/// The head of an element: its tag and how many bytes follow.
struct DERElement: Hashable {
    let tag: UInt8
    /// Where its content begins.
    let start: Int
    /// Bytes of its content.
    let count: Int

    /// Where the next element begins.
    var end: Int { start + count }

    /// Reads the head of the element at `offset`; nil if it is not in that form, or is not whole in `bytes`.
    init?(_ bytes: [UInt8], at offset: Int) {
        guard offset >= 0, offset + 1 < bytes.count else { return nil }
        tag = bytes[offset]
        guard tag & 0x1f != 0x1f else { return nil }
        let first = bytes[offset + 1]
        guard first & 0x80 != 0 else {
            (start, count) = (offset + 2, Int(first))
            return
        }
        // Up to five bytes of length are a terabyte, more than any file of ours.
        let lengthBytes = Int(first & 0x7f)
        guard (1...5).contains(lengthBytes), offset + 1 + lengthBytes < bytes.count else { return nil }
        let digits = bytes[offset + 2..<offset + 2 + lengthBytes]
        let value = digits.reduce(0) { $0 << 8 | Int($1) }
        guard value >= 0x80, digits.first != 0 else { return nil }
        (start, count) = (offset + 2 + lengthBytes, value)
    }

    /// The head of an element of this tag with so many bytes of content.
    static func head(_ tag: UInt8, count: Int) -> [UInt8] {
        guard count >= 0x80 else { return [tag, UInt8(count)] }
        var digits: [UInt8] = []
        var rest = count
        while rest > 0 {
            digits.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
        return [tag, 0x80 | UInt8(digits.count)] + digits.reversed()
    }
}
