// Leaves and groups of a TextBuffer: finding the leaf of a position, adding and removing leaves and groups.
// What is done here keeps the text and its counts; only the place has to be renewed by the caller.

/// A state is only reached through the storage that owns it.
typealias TextBufferStatePointer = UnsafeMutablePointer<TextBufferState>

extension UnsafeMutablePointer<TextBufferState> {
    /// The leaf in which, or at whose end, `position` lies. O(groups + leaves of a group), which is under 100
    /// additions for 300 kB.
    @inline(__always)
    func find(_ position: Int) -> TextBufferPlace {
        var rest = Int32(truncatingIfNeeded: position)
        let groupScalars = pointee.groupScalars
        var group = 0
        while rest > groupScalars[group] {
            rest &-= groupScalars[group]
            group &+= 1
        }
        let scalars = pointee.groups[group].scalars
        var leaf = 0
        while rest > scalars[leaf] {
            rest &-= scalars[leaf]
            leaf &+= 1
        }
        return TextBufferPlace(group: group, leaf: leaf, start: position &- Int(rest))
    }

    /// Makes `place` the leaf in which, or at whose end, `position` lies, and its scalar that of the
    /// position.
    @inline(__always)
    func moveTo(_ position: Int) {
        let start = pointee.place.start
        let held = Int(pointee.groups[pointee.place.group].scalars[pointee.place.leaf])
        if position < start || position > start &+ held { pointee.place = find(position) }
        let group = pointee.groups[pointee.place.group]
        let leaf = pointee.place.leaf
        let scalar = position &- pointee.place.start
        pointee.place.byte = offset(of: scalar, in: group, leaf)
        pointee.place.scalar = scalar
    }

    /// The byte at which a scalar of the place's leaf begins, sought from the scalar known.
    @inline(__always)
    private func offset(of scalar: Int, in group: TextBufferGroup, _ leaf: Int) -> Int {
        let count = Int(group.bytes[leaf])
        let held = Int(group.scalars[leaf])
        if count == held { return scalar }
        if scalar == held { return count }
        let bytes = UnsafePointer(group.leaves[leaf])
        let known = pointee.place
        if scalar >= known.scalar {
            return UTF8Scan.offset(
                bytes, count: count, from: known.byte, advancedBy: scalar &- known.scalar)
        }
        if scalar &* 2 < known.scalar {
            return UTF8Scan.offset(bytes, count: count, from: 0, advancedBy: scalar)
        }
        return UTF8Scan.offset(bytes, from: known.byte, backBy: known.scalar &- scalar)
    }

    // MARK: Adding

    /// Adds a leaf with these bytes, which fit into one, behind the place's leaf; it becomes the place.
    func insertLeaf(_ bytes: UnsafeBufferPointer<UInt8>, scalars: Int) {
        if pointee.groups[pointee.place.group].count == TextBufferSize.group { splitGroup() }
        var place = pointee.place
        let group = pointee.groups[place.group]
        place.start += Int(group.scalars[place.leaf])
        place.leaf += 1
        place.scalar = 0
        place.byte = 0
        group.shift(from: place.leaf, by: 1)
        let leaf = UnsafeMutablePointer<UInt8>.allocate(capacity: TextBufferSize.leaf)
        if let source = bytes.baseAddress { leaf.update(from: source, count: bytes.count) }
        group.leaves[place.leaf] = leaf
        group.bytes[place.leaf] = Int32(bytes.count)
        group.scalars[place.leaf] = Int32(scalars)
        group.count += 1
        pointee.groupScalars[place.group] += Int32(scalars)
        pointee.scalars += scalars
        pointee.bytes += bytes.count
        pointee.place = place
    }

    /// Makes room in the place's group, which is full: one half of its leaves goes to a new group behind it –
    /// or only the last leaf, if that is the place: then leaves are being appended, and groups shall become
    /// full.
    private func splitGroup() {
        let index = pointee.place.group
        let group = pointee.groups[index]
        let kept = pointee.place.leaf == group.count - 1 ? group.count - 1 : group.count / 2
        let new = TextBufferGroup()
        new.append(group, from: kept)
        group.count = kept
        let moved = new.total()
        pointee.groupScalars[index] -= moved
        insertGroup(new, scalars: moved, at: index + 1)
        if pointee.place.leaf >= kept {
            pointee.place.group += 1
            pointee.place.leaf -= kept
        }
    }

    private func insertGroup(_ group: TextBufferGroup, scalars: Int32, at index: Int) {
        if pointee.groupCount == pointee.groupCapacity {
            let capacity = pointee.groupCapacity * 2
            let groups = UnsafeMutablePointer<TextBufferGroup>.allocate(capacity: capacity)
            let groupScalars = UnsafeMutablePointer<Int32>.allocate(capacity: capacity)
            groups.moveInitialize(from: pointee.groups, count: pointee.groupCount)
            groupScalars.moveInitialize(from: pointee.groupScalars, count: pointee.groupCount)
            pointee.groups.deallocate()
            pointee.groupScalars.deallocate()
            pointee.groups = groups
            pointee.groupScalars = groupScalars
            pointee.groupCapacity = capacity
        }
        let behind = pointee.groupCount - index
        pointee.groups.advanced(by: index + 1).update(from: pointee.groups + index, count: behind)
        pointee.groupScalars.advanced(by: index + 1).update(from: pointee.groupScalars + index, count: behind)
        pointee.groups[index] = group
        pointee.groupScalars[index] = scalars
        pointee.groupCount += 1
    }

    // MARK: Removing

    /// Removes leaves of a group, of which at least one stays, with what they hold.
    func removeLeaves(_ range: Range<Int>, of index: Int) {
        let group = pointee.groups[index]
        for leaf in range {
            pointee.groupScalars[index] -= group.scalars[leaf]
            pointee.scalars -= Int(group.scalars[leaf])
            pointee.bytes -= Int(group.bytes[leaf])
        }
        group.freeLeaves(range)
        group.shift(from: range.upperBound, by: -range.count)
        group.count -= range.count
    }

    /// Removes groups, of which at least one stays, with what they hold.
    func removeGroups(_ range: Range<Int>) {
        for index in range {
            let group = pointee.groups[index]
            for leaf in 0..<group.count { pointee.bytes -= Int(group.bytes[leaf]) }
            pointee.scalars -= Int(pointee.groupScalars[index])
            group.freeLeaves(0..<group.count)
            group.free()
        }
        closeGroups(range)
    }

    /// Takes the entries of these groups, whose leaves are elsewhere or freed, out of the list.
    private func closeGroups(_ range: Range<Int>) {
        let behind = pointee.groupCount - range.upperBound
        pointee.groups.advanced(by: range.lowerBound)
            .update(from: pointee.groups + range.upperBound, count: behind)
        pointee.groupScalars.advanced(by: range.lowerBound)
            .update(from: pointee.groupScalars + range.upperBound, count: behind)
        pointee.groupCount -= range.count
    }

    // MARK: Merging

    /// Merges the place's leaf with a neighbour of the group if together they are small, and the group with
    /// one of its neighbours likewise. True if any was merged: the place is then void.
    @inline(__always)
    func tidy() -> Bool {
        let index = pointee.place.group
        let leaf = pointee.place.leaf
        let group = pointee.groups[index]
        let bytes = group.bytes[leaf]
        let limit = Int32(TextBufferSize.merged)
        if leaf &+ 1 < group.count, bytes &+ group.bytes[leaf &+ 1] <= limit {
            mergeLeaf(leaf, of: index)
            return true
        }
        if leaf > 0, bytes &+ group.bytes[leaf &- 1] <= limit {
            mergeLeaf(leaf &- 1, of: index)
            return true
        }
        return tidyGroup(index)
    }

    /// Merges the group with a neighbour if together they are small. True if it was merged.
    @inline(__always)
    func tidyGroup(_ index: Int) -> Bool {
        let count = pointee.groups[index].count
        if index &+ 1 < pointee.groupCount,
            count &+ pointee.groups[index &+ 1].count <= TextBufferSize.mergedGroup
        {
            mergeGroup(index)
            return true
        }
        if index > 0, count &+ pointee.groups[index &- 1].count <= TextBufferSize.mergedGroup {
            mergeGroup(index &- 1)
            return true
        }
        return false
    }

    /// Moves the bytes of the next leaf into this one.
    private func mergeLeaf(_ leaf: Int, of index: Int) {
        let group = pointee.groups[index]
        let next = leaf + 1
        group.leaves[leaf].advanced(by: Int(group.bytes[leaf]))
            .update(from: group.leaves[next], count: Int(group.bytes[next]))
        group.bytes[leaf] += group.bytes[next]
        group.scalars[leaf] += group.scalars[next]
        group.freeLeaves(next..<next + 1)
        group.shift(from: next + 1, by: -1)
        group.count -= 1
        _ = tidyGroup(index)
    }

    /// Moves the leaves of the next group into this one.
    private func mergeGroup(_ index: Int) {
        let next = pointee.groups[index + 1]
        pointee.groups[index].append(next, from: 0)
        pointee.groupScalars[index] += pointee.groupScalars[index + 1]
        next.free()
        closeGroups(index + 1..<index + 2)
    }
}
