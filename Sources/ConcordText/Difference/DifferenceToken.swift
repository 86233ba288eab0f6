// How a text is cut into the pieces that a difference keeps or replaces as a whole: words, stretches of white
// space, ends of lines, and other scalars one by one, each with the marks that belong to it. Every cut is
// between two scalars.

/// What a token is.
enum DifferenceTokenKind: UInt8 {
    /// Letters, digits and their marks; in scripts that put no spaces between words, one letter with its
    /// marks.
    case word
    /// White space other than ends of lines.
    case space
    /// One end of a line.
    case newline
    /// Any other scalar, with what is joined to it.
    case other
}

/// What a scalar does in a token.
private enum ScalarRole {
    case word
    /// A letter that is a word of its own: there is no telling where the words end.
    case loneLetter
    case space
    case newline
    case other
    /// Belongs to what stands before it.
    case mark
    /// Belongs to what stands before it, and what follows belongs to both (emoji).
    case joiner
    /// Half of a flag.
    case regional

    init(_ scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0x0A, 0x0D, 0x2028, 0x2029: self = .newline
        case 0x09, 0x20, 0x0B, 0x0C: self = .space
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: self = .word
        case 0..<0x80: self = .other
        case 0x200D: self = .joiner
        case 0x200C, 0x1F3FB...0x1F3FF: self = .mark
        case 0x1F1E6...0x1F1FF: self = .regional
        // Thai, Lao, Myanmar, Khmer, Hiragana; ideographs are found by their property.
        case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF, 0x3041...0x309F:
            self = Self.byCategory(scalar) == .word ? .loneLetter : Self.byCategory(scalar)
        default:
            self = scalar.properties.isIdeographic ? .loneLetter : Self.byCategory(scalar)
        }
    }

    private static func byCategory(_ scalar: Unicode.Scalar) -> Self {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .decimalNumber, .letterNumber, .otherNumber:
            .word
        case .nonspacingMark, .spacingMark, .enclosingMark: .mark
        default: scalar.properties.isWhitespace ? .space : .other
        }
    }
}

/// Finds the ends of tokens, one scalar after another.
private struct DifferenceTokenizer {
    private(set) var kind = DifferenceTokenKind.other
    private var last = ScalarRole.newline
    private var lastValue: UInt32 = 0
    private var isFlagHalf = false

    /// Whether a token begins with this scalar; if not, it belongs to the one that goes on.
    mutating func begins(with scalar: Unicode.Scalar) -> Bool {
        let role = ScalarRole(scalar)
        let isGoingOn =
            switch role {
            case .word: kind == .word && last != .loneLetter
            case .space: kind == .space
            case .newline: lastValue == 0x0D && scalar.value == 0x0A
            case .mark, .joiner: kind == .word || kind == .other
            case .regional: isFlagHalf
            case .other: kind == .other && last == .joiner
            case .loneLetter: false
            }
        if !isGoingOn {
            kind =
                switch role {
                case .word, .loneLetter, .mark: .word
                case .space: .space
                case .newline: .newline
                case .other, .joiner, .regional: .other
                }
        }
        isFlagHalf = role == .regional && !isGoingOn
        // A mark leaves a lone letter alone: the letter behind it is the next word.
        if role != .mark || !isGoingOn { last = role }
        lastValue = scalar.value
        return !isGoingOn
    }
}

/// Gives equal numbers to equal stretches of bytes.
struct DifferenceNames {
    private var table: [Int32] = Array(repeating: -1, count: 1 << 10)
    private var stretches: [UnsafeBufferPointer<UInt8>] = []
    private var hashes: [Int] = []
    /// Stretches of up to seven bytes met lately, their length in the eighth byte, at a place that their
    /// bytes give: most words are found here and need no hash.
    private var recent: [(key: UInt64, name: Int32)] = Array(repeating: (0, 0), count: 1 << 12)

    /// How many numbers were given.
    var count: Int { stretches.count }

    /// The number of these bytes, which must not be none and must outlive this value.
    mutating func name(_ bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
        if bytes.count > 7 { return find(bytes) }
        var key = UInt64(bytes.count)
        for byte in bytes { key = key &<< 8 | UInt64(byte) }
        let place = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) &>> 52)
        if recent[place].key == key { return recent[place].name }
        let name = find(bytes)
        recent[place] = (key, name)
        return name
    }

    /// `Hasher`, whose seed no writer of texts knows, bounds what made-up texts can cost; which number a
    /// stretch gets does not depend on it.
    private mutating func find(_ bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
        let hash = hasher.finalize()
        var slot = hash & (table.count &- 1)
        while table[slot] >= 0 {
            let name = Int(table[slot])
            let other = stretches[name]
            if hashes[name] == hash, other.count == bytes.count,
                UTF8Scan.commonPrefix(other, bytes) == bytes.count
            {
                return table[slot]
            }
            slot = (slot &+ 1) & (table.count &- 1)
        }
        let name = Int32(stretches.count)
        table[slot] = name
        stretches.append(bytes)
        hashes.append(hash)
        if stretches.count * 2 > table.count { grow() }
        return name
    }

    private mutating func grow() {
        table = Array(repeating: -1, count: table.count * 2)
        for (name, hash) in hashes.enumerated() {
            var slot = hash & (table.count &- 1)
            while table[slot] >= 0 { slot = (slot &+ 1) & (table.count &- 1) }
            table[slot] = Int32(name)
        }
    }
}

/// The tokens of a stretch of a text.
struct DifferenceTokens {
    /// The whole text.
    let bytes: UnsafeBufferPointer<UInt8>
    /// Where each token begins in the text, and where the last one ends.
    private(set) var starts: [Int32] = []
    /// The number of each token: equal tokens have equal ones, in both texts.
    private(set) var names: [Int32] = []
    private(set) var kinds: [DifferenceTokenKind] = []

    /// How many tokens there are.
    var count: Int { names.count }

    /// Cuts `range`, which begins and ends between scalars.
    init(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ known: inout DifferenceNames) {
        self.bytes = bytes
        var tokenizer = DifferenceTokenizer()
        var offset = range.lowerBound
        var start = offset
        while offset < range.upperBound {
            let (scalar, length) = Self.decode(bytes, offset)
            let kind = tokenizer.kind
            if tokenizer.begins(with: scalar), offset > start {
                append(start..<offset, kind, &known)
                start = offset
            }
            offset += length
        }
        if offset > start { append(start..<offset, tokenizer.kind, &known) }
        starts.append(Int32(range.upperBound))
    }

    private mutating func append(
        _ range: Range<Int>, _ kind: DifferenceTokenKind, _ known: inout DifferenceNames
    ) {
        starts.append(Int32(range.lowerBound))
        kinds.append(kind)
        names.append(known.name(UnsafeBufferPointer(rebasing: bytes[range])))
    }

    /// The scalar that begins at `offset`, and its length. What is not UTF-8 counts as U+FFFD of one byte.
    private static func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, _ offset: Int
    ) -> (Unicode.Scalar, Int) {
        let first = UInt32(bytes[offset])
        if first < 0x80 { return (Unicode.Scalar(UInt8(first)), 1) }
        let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        guard first >= 0xC0, offset + length <= bytes.count else { return ("\u{FFFD}", 1) }
        var value = first & (0x7F &>> UInt32(length))
        for step in 1..<length { value = value << 6 | UInt32(bytes[offset + step] & 0x3F) }
        return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
    }

    /// Where the bytes of these tokens stand in the text.
    func range(_ tokens: Range<Int>) -> Range<Int> {
        Int(starts[tokens.lowerBound])..<Int(starts[tokens.upperBound])
    }

    /// The bytes of one token.
    func token(_ index: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: bytes[range(index..<index + 1)])
    }

    /// Where the lines begin, in tokens, and where the last one ends. A line has its end with it.
    func lines() -> [Int32] {
        var lines: [Int32] = []
        var start = 0
        for index in kinds.indices where kinds[index] == .newline {
            lines.append(Int32(start))
            start = index + 1
        }
        if start < count { lines.append(Int32(start)) }
        lines.append(Int32(count))
        return lines
    }
}
