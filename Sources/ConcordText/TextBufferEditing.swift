// Inserting into and removing from a TextBuffer's storage. What fits into the leaf where it belongs, and what
// lies in one leaf, takes no allocation; the rest adds or removes leaves and costs no more than the bytes
// that come or go.

extension UnsafeMutablePointer<TextBufferState> {
    // MARK: Inserting

    /// Inserts bytes of `scalars` scalars at `position`, which is in the text.
    func insert(_ utf8: UnsafeBufferPointer<UInt8>, scalars: Int, at position: Int) {
        guard let source = utf8.baseAddress, utf8.count > 0 else { return }
        moveTo(position)
        let group = pointee.groups[pointee.place.group]
        let held = Int(group.bytes[pointee.place.leaf])
        if held &+ utf8.count <= TextBufferSize.leaf {
            insertHere(source, bytes: utf8.count, scalars: scalars, held: held, group)
        } else if pointee.place.byte == held, prependToNext(source, bytes: utf8.count, scalars: scalars) {
            return
        } else if utf8.count <= TextBufferSize.leaf / 4, pointee.place.byte < held {
            splitLeaf()
            insert(utf8, scalars: scalars, at: position)
        } else {
            insertLeaves(utf8, scalars: scalars)
        }
    }

    /// Inserts bytes that fit at the place.
    @inline(__always)
    private func insertHere(
        _ source: UnsafePointer<UInt8>, bytes: Int, scalars: Int, held: Int, _ group: TextBufferGroup
    ) {
        let leaf = pointee.place.leaf
        let byte = pointee.place.byte
        let target = group.leaves[leaf] + byte
        if byte < held { (target + bytes).update(from: target, count: held &- byte) }
        if bytes == 1 { target.pointee = source.pointee } else { target.update(from: source, count: bytes) }
        group.bytes[leaf] &+= Int32(truncatingIfNeeded: bytes)
        group.scalars[leaf] &+= Int32(truncatingIfNeeded: scalars)
        pointee.groupScalars[pointee.place.group] &+= Int32(truncatingIfNeeded: scalars)
        pointee.scalars &+= scalars
        pointee.bytes &+= bytes
        pointee.place.byte = byte &+ bytes
        pointee.place.scalar &+= scalars
    }

    /// Inserts at the end of the place's leaf, which is full, by way of the next leaf's start, if that has
    /// room. Without it, text typed backwards at such an end would make a leaf of each letter.
    private func prependToNext(_ source: UnsafePointer<UInt8>, bytes: Int, scalars: Int) -> Bool {
        var next = pointee.place
        next.start += next.scalar
        next.leaf += 1
        if next.leaf == pointee.groups[next.group].count {
            next.group += 1
            next.leaf = 0
            if next.group == pointee.groupCount { return false }
        }
        let group = pointee.groups[next.group]
        let held = Int(group.bytes[next.leaf])
        if held + bytes > TextBufferSize.leaf { return false }
        next.scalar = 0
        next.byte = 0
        pointee.place = next
        insertHere(source, bytes: bytes, scalars: scalars, held: held, group)
        return true
    }

    /// Moves the second half of the place's leaf to a new leaf behind it.
    private func splitLeaf() {
        let place = pointee.place
        let leaf = pointee.groups[place.group].leaves[place.leaf]
        let held = Int(pointee.groups[place.group].bytes[place.leaf])
        moveTail(from: UTF8Scan.boundary(leaf, before: held / 2))
        pointee.place = place
        // Splitting the group may have moved the leaf; the first leaf is always where it is said to be.
        if place.leaf >= pointee.groups[place.group].count {
            pointee.place = TextBufferPlace()
        } else {
            pointee.place.scalar = 0
            pointee.place.byte = 0
        }
    }

    /// Moves what follows `byte` in the place's leaf to a new leaf behind it, which becomes the place.
    private func moveTail(from byte: Int) {
        let group = pointee.groups[pointee.place.group]
        let leaf = pointee.place.leaf
        let held = Int(group.bytes[leaf])
        let bytes = group.leaves[leaf]
        let scalars = held == Int(group.scalars[leaf]) ? byte : UTF8Scan.scalars(bytes, count: byte)
        let moved = Int(group.scalars[leaf]) - scalars
        cut(group, leaf, of: pointee.place.group, bytes: held - byte, scalars: moved)
        insertLeaf(UnsafeBufferPointer(start: bytes + byte, count: held - byte), scalars: moved)
    }

    /// Takes bytes at the end of a leaf out of the counts.
    private func cut(_ group: TextBufferGroup, _ leaf: Int, of index: Int, bytes: Int, scalars: Int) {
        group.bytes[leaf] -= Int32(bytes)
        group.scalars[leaf] -= Int32(scalars)
        pointee.groupScalars[index] -= Int32(scalars)
        pointee.scalars -= scalars
        pointee.bytes -= bytes
    }

    /// Inserts any number of bytes at the place: fills up its leaf and adds leaves.
    private func insertLeaves(_ utf8: UnsafeBufferPointer<UInt8>, scalars: Int) {
        let place = pointee.place
        let group = pointee.groups[place.group]
        let held = Int(group.bytes[place.leaf])
        if place.byte > 0, place.byte < held {
            // The leaf before the gap stays the place, wherever a split of its group has put it.
            let position = place.start + place.scalar
            moveTail(from: place.byte)
            pointee.place = find(position)
        } else if place.byte == 0, held > 0 {
            // Only at the very start of the text, or where the place was the leaf behind the position.
            if place.start > 0 {
                pointee.place = find(place.start)
            } else {
                moveTail(from: 0)
                pointee.place = TextBufferPlace()
            }
        }
        appendLeaves(utf8, scalars: scalars)
        // The leaf behind may be a short remainder.
        tidyAll(around: pointee.place.start + pointee.place.scalar)
    }

    /// Adds bytes at the end of the place's leaf and in new leaves behind it; the last one becomes the place.
    private func appendLeaves(_ utf8: UnsafeBufferPointer<UInt8>, scalars: Int) {
        guard let source = utf8.baseAddress else { return }
        let isASCII = scalars == utf8.count
        var from = 0
        while from < utf8.count {
            let group = pointee.groups[pointee.place.group]
            let leaf = pointee.place.leaf
            let held = Int(group.bytes[leaf])
            let room = max(0, TextBufferSize.filled - held)
            var end = utf8.count
            if end - from > room { end = UTF8Scan.boundary(source, before: from + room) }
            if held > 0, end <= from {
                insertLeaf(UnsafeBufferPointer(start: nil, count: 0), scalars: 0)
                continue
            }
            let length = end - from
            let count = isASCII ? length : UTF8Scan.scalars(source + from, count: length)
            pointee.place.byte = held
            pointee.place.scalar = Int(group.scalars[leaf])
            insertHere(source + from, bytes: length, scalars: count, held: held, group)
            from = end
        }
    }

    /// Adds bytes at the end of the text.
    func append(_ utf8: UnsafeBufferPointer<UInt8>, scalars: Int) {
        let group = pointee.groupCount - 1
        let leaf = pointee.groups[group].count - 1
        let held = Int(pointee.groups[group].scalars[leaf])
        pointee.place = TextBufferPlace(group: group, leaf: leaf, start: pointee.scalars - held)
        appendLeaves(utf8, scalars: scalars)
    }

    // MARK: Removing

    /// Removes `count` scalars from `position` on; they are in the text.
    func remove(_ count: Int, at position: Int) {
        guard count > 0 else { return }
        moveTo(position)
        let place = pointee.place
        let group = pointee.groups[place.group]
        if place.scalar &+ count <= Int(group.scalars[place.leaf]) {
            if count < pointee.scalars, count == Int(group.scalars[place.leaf]) {
                removeLeaf(at: place)
            } else {
                trim(place, count)
                if tidy() { pointee.place = find(position) }
            }
        } else {
            removeAcross(count, at: position)
        }
    }

    /// Removes scalars behind the place that are all in its leaf, of which something stays – or of the whole
    /// text.
    @inline(__always)
    private func trim(_ place: TextBufferPlace, _ count: Int) {
        let group = pointee.groups[place.group]
        let held = Int(group.bytes[place.leaf])
        let bytes = group.leaves[place.leaf]
        let end: Int
        if held == Int(group.scalars[place.leaf]) {
            end = place.byte &+ count
        } else {
            end = UTF8Scan.offset(bytes, count: held, from: place.byte, advancedBy: count)
        }
        if end < held { (bytes + place.byte).update(from: bytes + end, count: held &- end) }
        group.bytes[place.leaf] &-= Int32(truncatingIfNeeded: end &- place.byte)
        group.scalars[place.leaf] &-= Int32(truncatingIfNeeded: count)
        pointee.groupScalars[place.group] &-= Int32(truncatingIfNeeded: count)
        pointee.scalars &-= count
        pointee.bytes &-= end &- place.byte
    }

    /// Removes the whole leaf of the place, which is not the only one.
    private func removeLeaf(at place: TextBufferPlace) {
        if pointee.groups[place.group].count == 1 {
            removeGroups(place.group..<place.group + 1)
        } else {
            removeLeaves(place.leaf..<place.leaf + 1, of: place.group)
        }
        pointee.place = find(place.start)
        tidyAll(around: place.start)
    }

    /// Removes scalars that reach beyond the place's leaf: the end of that, whole leaves and groups, and the
    /// start of the leaf behind them.
    private func removeAcross(_ count: Int, at position: Int) {
        var place = pointee.place
        var rest = count
        let first = Int(pointee.groups[place.group].scalars[place.leaf]) - place.scalar
        if place.scalar > 0 {
            if first > 0 { trim(place, first) }
            rest -= first
            place.leaf += 1
        }
        while rest > 0 {
            if place.leaf == pointee.groups[place.group].count {
                place.group += 1
                place.leaf = 0
            }
            let group = pointee.groups[place.group]
            if place.leaf == 0, Int(pointee.groupScalars[place.group]) <= rest, pointee.groupCount > 1 {
                // All groups may go only with the whole text; the last one is then emptied below.
                let bound = place.group == 0 ? pointee.groupCount - 1 : pointee.groupCount
                var end = place.group
                while end < bound, Int(pointee.groupScalars[end]) <= rest {
                    rest -= Int(pointee.groupScalars[end])
                    end += 1
                }
                removeGroups(place.group..<end)
            } else if Int(group.scalars[place.leaf]) <= rest, group.count > 1 {
                let bound = place.leaf == 0 ? group.count - 1 : group.count
                var end = place.leaf
                while end < bound, Int(group.scalars[end]) <= rest {
                    rest -= Int(group.scalars[end])
                    end += 1
                }
                removeLeaves(place.leaf..<end, of: place.group)
            } else {
                place.scalar = 0
                place.byte = 0
                trim(place, rest)
                rest = 0
            }
        }
        pointee.place = find(position)
        tidyAll(around: position)
    }

    /// Merges what is small around the place, which is at `position`.
    private func tidyAll(around position: Int) {
        while tidy() { pointee.place = find(position) }
    }
}
