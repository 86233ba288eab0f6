// Counting Unicode scalars in UTF-8, eight bytes at a time: every byte that does not continue a scalar
// (10xxxxxx) begins one. The bytes are valid UTF-8; nothing here reads outside of the bounds given.

/// Steps through UTF-8 by scalars.
public enum UTF8Scan {
    /// How many scalars valid UTF-8 has. O(n).
    public static func scalarCount(_ utf8: [UInt8]) -> Int {
        utf8.withUnsafeBufferPointer { bytes in bytes.baseAddress.map { scalars($0, count: bytes.count) } ?? 0
        }
    }

    /// How many bytes the scalar has that begins with this one.
    @inline(__always)
    public static func length(_ first: UInt8) -> Int {
        first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    }

    /// What people see of a text: its UTF-8 without what stands for erased scalars. O(n).
    public static func withoutErased(_ utf8: [UInt8]) -> [UInt8] {
        utf8.withUnsafeBufferPointer { bytes -> [UInt8]? in
            guard var found = erased(bytes, from: 0) else { return nil }
            var seen: [UInt8] = []
            seen.reserveCapacity(bytes.count)
            var from = 0
            while true {
                seen.append(contentsOf: bytes[from..<found])
                from = found + 3
                guard let next = erased(bytes, from: from) else { break }
                found = next
            }
            seen.append(contentsOf: bytes[from...])
            return seen
        } ?? utf8
    }

    /// Whether this byte begins a scalar.
    @inline(__always)
    static func begins(_ byte: UInt8) -> Bool { byte & 0xC0 != 0x80 }

    /// One in each byte of the word that continues a scalar.
    @inline(__always)
    private static func continuations(_ word: UInt64) -> UInt64 {
        (word &>> 7) & (~word &>> 6) & 0x0101_0101_0101_0101
    }

    /// The sum of the eight bytes of a word, which must be under 256.
    @inline(__always)
    private static func sum(_ bytes: UInt64) -> Int { Int((bytes &* 0x0101_0101_0101_0101) &>> 56) }

    @inline(__always)
    private static func word(_ bytes: UnsafePointer<UInt8>, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(bytes + offset).loadUnaligned(as: UInt64.self))
    }

    /// Which of eight bytes begins the scalar with this index among those that begin in them: of the counts
    /// up to each byte, the first that is greater than the index.
    @inline(__always)
    private static func byte(ofScalar index: Int, continuing: UInt64) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let upTo = (ones &- continuing) &* ones
        let greater = (upTo &+ UInt64(truncatingIfNeeded: 0x7F &- index) &* ones) & (ones &<< 7)
        return greater.trailingZeroBitCount &>> 3
    }

    /// High bits, of which none is set unless one of the eight bytes is `byte`.
    @inline(__always)
    private static func has(_ byte: UInt64, in word: UInt64) -> UInt64 {
        let other = word ^ (byte &* 0x0101_0101_0101_0101)
        return (other &- 0x0101_0101_0101_0101) & ~other & 0x8080_8080_8080_8080
    }

    /// How many of the 32 bytes at `offset` begin a scalar.
    @inline(__always)
    private static func beginsOf32(_ bytes: UnsafePointer<UInt8>, _ offset: Int) -> Int {
        let first = continuations(word(bytes, offset)) &+ continuations(word(bytes, offset + 8))
        let second = continuations(word(bytes, offset + 16)) &+ continuations(word(bytes, offset + 24))
        return 32 &- sum(first &+ second)
    }

    /// How many scalars begin in `count` bytes. O(n), about 10 bytes a nanosecond.
    static func scalars(_ bytes: UnsafePointer<UInt8>, count: Int) -> Int {
        var continuing = 0
        var offset = 0
        while offset &+ 128 <= count {
            var partial: UInt64 = 0
            for step in 0..<16 { partial &+= continuations(word(bytes, offset &+ step &* 8)) }
            continuing &+= sum(partial)
            offset &+= 128
        }
        while offset &+ 8 <= count {
            continuing &+= sum(continuations(word(bytes, offset)))
            offset &+= 8
        }
        while offset < count {
            if !begins(bytes[offset]) { continuing &+= 1 }
            offset &+= 1
        }
        return count &- continuing
    }

    /// The offset `scalars` scalars after `start`, which begins a scalar or is `count`; `count` if there are
    /// fewer.
    static func offset(
        _ bytes: UnsafePointer<UInt8>, count: Int, from start: Int, advancedBy scalars: Int
    ) -> Int {
        var offset = start
        var rest = scalars
        while offset &+ 32 <= count {
            let here = beginsOf32(bytes, offset)
            if here > rest { break }
            rest &-= here
            offset &+= 32
        }
        while offset &+ 8 <= count {
            let continuing = continuations(word(bytes, offset))
            let here = 8 &- sum(continuing)
            if here > rest { return offset &+ byte(ofScalar: rest, continuing: continuing) }
            rest &-= here
            offset &+= 8
        }
        while offset < count {
            if begins(bytes[offset]) {
                if rest == 0 { return offset }
                rest &-= 1
            }
            offset &+= 1
        }
        return count
    }

    /// The offset `scalars` scalars before `start`; there must be as many.
    static func offset(_ bytes: UnsafePointer<UInt8>, from start: Int, backBy scalars: Int) -> Int {
        if scalars == 0 { return start }
        var offset = start
        var rest = scalars
        while offset >= 8 {
            let continuing = continuations(word(bytes, offset &- 8))
            let here = 8 &- sum(continuing)
            if here >= rest { return offset &- 8 &+ byte(ofScalar: here &- rest, continuing: continuing) }
            rest &-= here
            offset &-= 8
        }
        while offset > 0 {
            offset &-= 1
            if begins(bytes[offset]) {
                rest &-= 1
                if rest == 0 { break }
            }
        }
        return offset
    }

    /// The largest offset up to `limit` at which a scalar begins, where `limit` is within the bytes.
    @inline(__always)
    static func boundary(_ bytes: UnsafePointer<UInt8>, before limit: Int) -> Int {
        var offset = limit
        while offset > 0, !begins(bytes[offset]) { offset &-= 1 }
        return offset
    }

    /// How many leading bytes two stretches have in common. O(n).
    static func commonPrefix(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Int {
        let count = min(a.count, b.count)
        guard count > 0, let a = a.baseAddress, let b = b.baseAddress else { return 0 }
        var offset = 0
        while offset &+ 8 <= count, word(a, offset) == word(b, offset) { offset &+= 8 }
        while offset < count, a[offset] == b[offset] { offset &+= 1 }
        return offset
    }

    /// How many trailing bytes two stretches have in common. O(n).
    static func commonSuffix(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Int {
        let count = min(a.count, b.count)
        guard count > 0, let endOfA = a.baseAddress?.advanced(by: a.count),
            let endOfB = b.baseAddress?.advanced(by: b.count)
        else { return 0 }
        var length = 0
        while length &+ 8 <= count, word(endOfA, -length &- 8) == word(endOfB, -length &- 8) { length &+= 8 }
        while length < count, endOfA[-length &- 1] == endOfB[-length &- 1] { length &+= 1 }
        return length
    }

    /// The first offset from `start` at which an erased scalar (U+FFFF, EF BF BF) stands, or nil. O(n).
    static func erased(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        let count = bytes.count
        var offset = start
        while offset &+ 3 <= count {
            // 32 bytes without EF, or without BF behind them, hold none (33 are looked at).
            if offset &+ 33 <= count {
                var first: UInt64 = 0
                for step in 0..<4 { first |= has(0xEF, in: word(base, offset &+ step &* 8)) }
                var second: UInt64 = 0
                if first != 0 {
                    for step in 0..<4 {
                        second |=
                            has(0xEF, in: word(base, offset &+ step &* 8))
                            & has(0xBF, in: word(base, offset &+ step &* 8 &+ 1))
                    }
                }
                if second == 0 {
                    offset &+= 32
                    continue
                }
            }
            for place in offset..<min(offset &+ 32, count &- 2)
            where base[place] == 0xEF && base[place &+ 1] == 0xBF && base[place &+ 2] == 0xBF {
                return place
            }
            offset &+= 32
        }
        return nil
    }
}
