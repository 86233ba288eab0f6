// The text itself: UTF-8 with positions in Unicode scalars, made for edits in any place of texts up to some
// megabytes. A value: copies share memory until one of them is edited.

/// A text that is cheap to edit anywhere.
///
/// Positions and counts are Unicode scalars; content goes in and out as valid UTF-8. An edit near the one
/// before it takes tens of nanoseconds, one elsewhere up to some hundred; the first edit of a copy copies the
/// text. A position outside of the text is the caller's bug and traps.
public struct TextBuffer: Sendable {
    /// Stands in the text for a scalar that was erased; people do not see it. A noncharacter that no writer
    /// inserts.
    public static let erasedScalar: Unicode.Scalar = "\u{FFFF}"

    private var storage: TextBufferStorage

    /// The empty text.
    public init() {
        storage = TextBufferStorage()
    }

    /// A text of these bytes, which must be valid UTF-8. O(n).
    public init(utf8: [UInt8]) {
        self.init(utf8: utf8, counted: utf8.withUnsafeBufferPointer(Self.scalars))
    }

    /// A text of these bytes, which must be valid UTF-8 of so many scalars. O(n).
    public init(utf8: [UInt8], scalars: Int) {
        precondition(scalars <= utf8.count, "more scalars than bytes")
        self.init(utf8: utf8, counted: scalars)
        precondition(scalarCount == scalars, "the scalars are not as many as said")
    }

    private init(utf8: [UInt8], counted scalars: Int) {
        storage = TextBufferStorage(
            groups: 1 + utf8.count / (TextBufferSize.filled * TextBufferSize.group))
        utf8.withUnsafeBufferPointer { bytes in
            withExtendedLifetime(storage) { $0.state.append(bytes, scalars: scalars) }
        }
    }

    private static func scalars(_ utf8: UnsafeBufferPointer<UInt8>) -> Int {
        utf8.baseAddress.map { UTF8Scan.scalars($0, count: utf8.count) } ?? 0
    }

    /// How many Unicode scalars the text has, erased ones included.
    public var scalarCount: Int { withExtendedLifetime(storage) { $0.state.pointee.scalars } }

    /// How many bytes the text has in UTF-8, erased scalars included.
    public var byteCount: Int { withExtendedLifetime(storage) { $0.state.pointee.bytes } }

    /// Inserts valid UTF-8 of `scalars` scalars before the scalar at `position`.
    public mutating func insert(_ utf8: UnsafeBufferPointer<UInt8>, scalars: Int, at position: Int) {
        precondition(position >= 0 && position <= scalarCount, "insertion outside of the text")
        precondition(scalars <= utf8.count && scalars &* 4 >= utf8.count, "impossible number of scalars")
        unshare()
        withExtendedLifetime(storage) { $0.state.insert(utf8, scalars: scalars, at: position) }
    }

    /// Removes `count` scalars from the one at `position` on.
    public mutating func remove(_ count: Int, at position: Int) {
        precondition(position >= 0 && count >= 0, "removal outside of the text")
        precondition(count <= scalarCount &- position, "removal outside of the text")
        unshare()
        withExtendedLifetime(storage) { $0.state.remove(count, at: position) }
    }

    @inline(__always)
    private mutating func unshare() {
        if !isKnownUniquelyReferenced(&storage) { storage = storage.copy() }
    }

    /// The whole text in UTF-8, erased scalars included. O(n).
    public var utf8: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: byteCount) { bytes, count in
            forEachPiece { piece in
                guard let target = bytes.baseAddress, let source = piece.baseAddress else { return }
                (target + count).initialize(from: source, count: piece.count)
                count += piece.count
            }
        }
    }

    /// The scalars of this range in UTF-8, erased ones included. O(length of the range).
    public func utf8(_ range: Range<Int>) -> [UInt8] {
        precondition(range.lowerBound >= 0 && range.upperBound <= scalarCount, "range outside of the text")
        var result: [UInt8] = []
        if range.isEmpty { return result }
        result.reserveCapacity(range.count)
        let state = storage.state
        var place = state.find(range.lowerBound)
        while place.start < range.upperBound {
            let group = state.pointee.groups[place.group]
            let bytes = group.leaves[place.leaf]
            let held = Int(group.bytes[place.leaf])
            let scalars = Int(group.scalars[place.leaf])
            let from = max(0, range.lowerBound - place.start)
            let to = min(scalars, range.upperBound - place.start)
            let start = UTF8Scan.offset(bytes, count: held, from: 0, advancedBy: from)
            let end =
                to == scalars
                ? held : UTF8Scan.offset(bytes, count: held, from: start, advancedBy: to - from)
            result.append(contentsOf: UnsafeBufferPointer(start: bytes + start, count: end - start))
            place.start += scalars
            place.leaf += 1
            if place.leaf == group.count {
                place.leaf = 0
                place.group += 1
            }
        }
        withExtendedLifetime(storage) {}
        return result
    }

    /// The text that people see: its UTF-8 without the erased scalars. O(n).
    public var display: [UInt8] { UTF8Scan.withoutErased(utf8) }

    /// Hands out the text in pieces, in order; each is whole scalars, valid only during the call, and perhaps
    /// empty.
    public func forEachPiece(_ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        let state = storage.state
        for index in 0..<state.pointee.groupCount {
            let group = state.pointee.groups[index]
            for leaf in 0..<group.count {
                body(UnsafeBufferPointer(start: group.leaves[leaf], count: Int(group.bytes[leaf])))
            }
        }
        withExtendedLifetime(storage) {}
    }

    /// Traps unless all that ``TextBufferStorage`` promises holds. For tests; O(n).
    func checkInvariants() {
        storage.checkInvariants()
    }

    /// The bytes of memory that hold text, used or not. For tests.
    var capacity: Int {
        withExtendedLifetime(storage) { storage in
            (0..<storage.state.pointee.groupCount)
                .reduce(0) { $0 + storage.state.pointee.groups[$1].count * TextBufferSize.leaf }
        }
    }
}

extension TextBuffer: Equatable {
    /// Whether two texts have the same scalars, compared as bytes: nothing is normalized. O(n).
    public static func == (a: Self, b: Self) -> Bool {
        if a.storage === b.storage { return true }
        if a.byteCount != b.byteCount || a.scalarCount != b.scalarCount { return false }
        let left = a.utf8
        let right = b.utf8
        return left.withUnsafeBufferPointer { left in
            right.withUnsafeBufferPointer { UTF8Scan.commonPrefix(left, $0) == left.count }
        }
    }
}
