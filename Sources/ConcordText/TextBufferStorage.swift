// The memory of a TextBuffer: UTF-8 in leaves of a fixed capacity, up to 64 leaves to a group, the counts of
// a group's leaves and the scalars of all groups in arrays, so that a position is found by adding up a few
// small integers.
//
// What always holds (TextBufferStorage.checkInvariants):
// - there is a group, every group has a leaf, and no leaf is empty unless the text is;
// - a leaf holds whole scalars, and the counts are those of its bytes;
// - the place names a leaf, the scalars before it, and a scalar in it with its byte.

/// Sizes of the nodes; small in debug builds, so that small texts exercise what large ones need.
enum TextBufferSize {
    #if DEBUG
    static let leaf = 64
    static let group = 8
    #else
    /// Bytes of a leaf: moving half of it costs about as much as finding it (measured with 512 to 4,096).
    static let leaf = 1024
    /// Leaves of a group.
    static let group = 64
    #endif
    /// Bytes to which a new leaf is filled, so that the first insertion need not split it.
    static let filled = leaf - leaf / 8
    /// Two neighbours of together so many bytes become one leaf: less than a leaf, lest it be split at once.
    static let merged = leaf * 3 / 4
    /// Two neighbours of together so many leaves become one group.
    static let mergedGroup = group * 3 / 4
}

/// Up to ``TextBufferSize/group`` leaves in one block of memory: their number, then their scalar counts,
/// their byte counts and their addresses.
struct TextBufferGroup {
    private let base: UnsafeMutableRawPointer
    private static let header = 16

    init() {
        base = .allocate(byteCount: Self.header + 16 * TextBufferSize.group, alignment: 16)
        base.initializeMemory(as: UInt8.self, repeating: 0, count: Self.header + 16 * TextBufferSize.group)
    }

    /// How many leaves there are.
    var count: Int {
        @inline(__always) get { base.load(as: Int.self) }
        nonmutating set { base.storeBytes(of: newValue, as: Int.self) }
    }
    var scalars: UnsafeMutablePointer<Int32> {
        @inline(__always) get { (base + Self.header).assumingMemoryBound(to: Int32.self) }
    }
    var bytes: UnsafeMutablePointer<Int32> {
        @inline(__always) get {
            (base + Self.header + 4 * TextBufferSize.group).assumingMemoryBound(to: Int32.self)
        }
    }
    var leaves: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>> {
        @inline(__always) get {
            (base + Self.header + 8 * TextBufferSize.group)
                .assumingMemoryBound(to: UnsafeMutablePointer<UInt8>.self)
        }
    }

    /// Frees the group, not its leaves.
    func free() { base.deallocate() }

    /// Frees the leaves of this range; their entries are dead.
    func freeLeaves(_ range: Range<Int>) { for leaf in range { leaves[leaf].deallocate() } }

    /// Moves the leaves from `from` on by `distance` places; the caller sets ``count``.
    func shift(from: Int, by distance: Int) {
        let length = count - from
        scalars.advanced(by: from + distance).update(from: scalars + from, count: length)
        bytes.advanced(by: from + distance).update(from: bytes + from, count: length)
        leaves.advanced(by: from + distance).update(from: leaves + from, count: length)
    }

    /// Appends the leaves of `other` from `from` on, without taking them from it.
    func append(_ other: Self, from: Int) {
        let length = other.count - from
        scalars.advanced(by: count).update(from: other.scalars + from, count: length)
        bytes.advanced(by: count).update(from: other.bytes + from, count: length)
        leaves.advanced(by: count).update(from: other.leaves + from, count: length)
        count += length
    }

    /// The scalars of all leaves.
    func total() -> Int32 {
        var sum: Int32 = 0
        for leaf in 0..<count { sum += scalars[leaf] }
        return sum
    }
}

/// Where an edit took place: edits near it need not search.
struct TextBufferPlace {
    /// The group, and the leaf in it.
    var group = 0
    var leaf = 0
    /// Scalars of the text before the leaf.
    var start = 0
    /// A scalar in the leaf and the byte at which it begins.
    var scalar = 0
    var byte = 0
}

/// What the storage consists of, in memory of its own: access to it needs neither reference counting nor
/// checks of exclusive access, which the owner's `mutating` methods have made.
struct TextBufferState {
    var scalars = 0
    var bytes = 0
    var groupCount = 0
    var groupCapacity = 0
    var groups: UnsafeMutablePointer<TextBufferGroup>
    var groupScalars: UnsafeMutablePointer<Int32>
    var place = TextBufferPlace()
}

/// Owns the memory of one text.
///
/// `@unchecked Sendable`: the memory is written only by the mutating methods of ``TextBuffer``, after
/// `isKnownUniquelyReferenced` has shown that no other value shares it; reading writes nothing, the place
/// included.
final class TextBufferStorage: @unchecked Sendable {
    let state: UnsafeMutablePointer<TextBufferState>

    /// An empty text with room for `groups` groups.
    init(groups: Int = 1) {
        state = .allocate(capacity: 1)
        state.initialize(
            to: TextBufferState(
                groupCapacity: groups, groups: .allocate(capacity: groups),
                groupScalars: .allocate(capacity: groups)))
        let group = TextBufferGroup()
        group.leaves[0] = .allocate(capacity: TextBufferSize.leaf)
        group.count = 1
        state.pointee.groups.initialize(to: group)
        state.pointee.groupScalars.initialize(to: 0)
        state.pointee.groupCount = 1
    }

    /// A text of its own with the same content, in leaves filled anew. O(n).
    func copy() -> TextBufferStorage {
        let copy = TextBufferStorage(groups: state.pointee.groupCount)
        for group in 0..<state.pointee.groupCount {
            let source = state.pointee.groups[group]
            for leaf in 0..<source.count {
                let bytes = UnsafeBufferPointer(start: source.leaves[leaf], count: Int(source.bytes[leaf]))
                copy.state.append(bytes, scalars: Int(source.scalars[leaf]))
            }
        }
        return copy
    }

    deinit {
        for index in 0..<state.pointee.groupCount {
            let group = state.pointee.groups[index]
            group.freeLeaves(0..<group.count)
            group.free()
        }
        state.pointee.groups.deallocate()
        state.pointee.groupScalars.deallocate()
        state.deallocate()
    }
}
