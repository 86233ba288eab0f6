// The block format of LZ4 (Collet, "LZ4 Block Format Description", 2011–2022): repetitions within 64 KiB are replaced by
// where they stood before. It is simple enough to stand here whole, and fast in both directions; what it gains on runs of
// changes is measured in Protocol/exchange.md.
//
//     block     sequence*, of which the last one ends behind its literals
//     sequence  token, [literal length], literals, offset (2 bytes, little-endian), [match length]
//     token     literal length in the upper four bits, match length - 4 in the lower four; 15 means that bytes follow,
//               which are added, up to one that is not 255

/// Compresses and expands blocks.
enum LZ4Block {
    private static let leastMatch = 4
    /// No match begins within so many bytes of the end, nor reaches into the last five.
    private static let tail = 12
    private static let lastLiterals = 5
    private static let hashBits = 13
    private static let farthest = 65_535

    /// The block that stands for `input`.
    static func compressed(_ input: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(input.count / 2)
        var table = [Int32](repeating: -1, count: 1 << hashBits)
        input.withUnsafeBytes { input in
            table.withUnsafeMutableBufferPointer { table in
                compress(input, &output, table)
            }
        }
        return output
    }

    private static func compress(
        _ input: UnsafeRawBufferPointer, _ output: inout [UInt8], _ table: UnsafeMutableBufferPointer<Int32>
    ) {
        var anchor = 0
        var position = 0
        let limit = input.count - tail
        while position < limit {
            let word = input.loadUnaligned(fromByteOffset: position, as: UInt32.self)
            let slot = Int((word &* 2_654_435_761) >> UInt32(32 - hashBits))
            let candidate = Int(table[slot])
            table[slot] = Int32(truncatingIfNeeded: position)
            guard candidate >= 0, position - candidate <= farthest,
                input.loadUnaligned(fromByteOffset: candidate, as: UInt32.self) == word
            else {
                // Where nothing repeats for long, steps become longer.
                position += 1 + (position - anchor) >> 6
                continue
            }
            var length = leastMatch
            let most = input.count - lastLiterals - position
            while length < most, input[candidate + length] == input[position + length] { length += 1 }
            append(
                literals: input[anchor..<position], match: (position - candidate, length), to: &output)
            position += length
            anchor = position
        }
        append(literals: input[anchor...], match: nil, to: &output)
    }

    private static func append(
        literals: Slice<UnsafeRawBufferPointer>, match: (offset: Int, length: Int)?, to output: inout [UInt8]
    ) {
        let rest = match.map { $0.length - leastMatch } ?? 0
        output.append(UInt8(min(literals.count, 15) << 4 | min(rest, 15)))
        if literals.count >= 15 { append(length: literals.count - 15, to: &output) }
        output += literals
        guard let match else { return }
        output.append(UInt8(truncatingIfNeeded: match.offset))
        output.append(UInt8(truncatingIfNeeded: match.offset >> 8))
        if rest >= 15 { append(length: rest - 15, to: &output) }
    }

    private static func append(length: Int, to output: inout [UInt8]) {
        var rest = length
        while rest >= 255 {
            output.append(255)
            rest -= 255
        }
        output.append(UInt8(rest))
    }

    /// What a block stands for; nil if it is malformed, or has not exactly `count` bytes.
    static func expanded(_ block: [UInt8], count: Int) -> [UInt8]? {
        var isWhole = false
        let output = [UInt8](unsafeUninitializedCapacity: count) { output, written in
            block.withUnsafeBytes { block in
                isWhole = expand(block, UnsafeMutableRawBufferPointer(output), &written) && written == count
            }
        }
        return isWhole ? output : nil
    }

    private static func expand(
        _ block: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer, _ written: inout Int
    ) -> Bool {
        var position = 0
        while position < block.count {
            let token = Int(block[position])
            position += 1
            guard let literals = length(token >> 4, block, &position),
                literals <= block.count - position, literals <= output.count - written
            else { return false }
            output[written..<written + literals].copyBytes(from: block[position..<position + literals])
            position += literals
            written += literals
            if position == block.count { return token & 15 == 0 }
            guard block.count - position >= 2 else { return false }
            let offset = Int(block[position]) | Int(block[position + 1]) << 8
            position += 2
            guard offset > 0, offset <= written, let rest = length(token & 15, block, &position),
                rest + leastMatch <= output.count - written
            else { return false }
            // Byte by byte: a match may reach into itself.
            for place in written..<written + rest + leastMatch { output[place] = output[place - offset] }
            written += rest + leastMatch
        }
        return false
    }

    private static func length(_ nibble: Int, _ block: UnsafeRawBufferPointer, _ position: inout Int) -> Int?
    {
        var length = nibble
        guard nibble == 15 else { return length }
        while position < block.count {
            let byte = Int(block[position])
            position += 1
            length += byte
            if byte < 255 { return length }
        }
        return nil
    }
}
