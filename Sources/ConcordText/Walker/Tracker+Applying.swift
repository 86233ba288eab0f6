// How events go into the tracker: insertions find their place among concurrent ones, deletions mark what is there, and
// whole ranges of events are taken back or put in again when the next event was written against another version.

/// What the order of concurrent insertions is decided by: the names of events.
struct EventOrder {
    private let edits: UnsafePointer<TextHistory.EditRun>
    private let count: Int
    private let ranks: UnsafePointer<Int32>

    /// - Parameters:
    ///   - edits: the runs of edits of the history.
    ///   - ranks: of each agent, its place in the order of all agents.
    init(edits: UnsafeBufferPointer<TextHistory.EditRun>, ranks: UnsafeBufferPointer<Int32>) {
        (self.edits, count) = (edits.baseAddress.unsafelyUnwrapped, edits.count)
        self.ranks = ranks.baseAddress.unsafelyUnwrapped
    }

    /// Whether the event `a` comes before `b`: by agent, then by sequence, then by the place within the edit.
    func isBefore(_ a: Int32, _ b: Int32) -> Bool {
        let (x, y) = (run(of: a), run(of: b))
        let (xRank, yRank) = (ranks[Int(x.agent)], ranks[Int(y.agent)])
        if xRank != yRank { return xRank < yRank }
        let xSequence = x.sequence + UInt64((a - x.start) / x.each)
        let ySequence = y.sequence + UInt64((b - y.start) / y.each)
        if xSequence != ySequence { return xSequence < ySequence }
        return a < b
    }

    private func run(of event: Int32) -> TextHistory.EditRun {
        edits[
            UnsafeBufferPointer(start: edits, count: count).lastIndex(startingAtOrBefore: event, by: \.start)]
    }
}

extension Tracker {
    // MARK: Inserting

    /// Inserts the characters of consecutive events before the `position`-th that is there; gives back where they come
    /// to stand in the text that is being built.
    mutating func insert(_ id: Int32, _ length: Int32, at position: Int32, _ order: EventOrder) -> Int32 {
        var cursor: TrackerCursor
        var effect: Int32 = 0
        var originLeft: Int32 = -1
        if position == 0 {
            cursor = TrackerCursor(leaf: 0, slot: 0, offset: 0)
        } else {
            (cursor, effect) = find(position - 1)
            let span = base(cursor.leaf)[Int(cursor.slot)]
            originLeft = span.id + cursor.offset
            cursor.offset += 1
            if !span.isDeleted { effect += cursor.offset }
            if cursor.offset < span.length {
                divide(&cursor)
                let right = base(cursor.leaf)[Int(cursor.slot)].id
                put(id, length, originLeft, right, at: &cursor)
                return effect
            }
            cursor.slot += 1
            cursor.offset = 0
        }
        guard let first = roll(&cursor) else {
            put(id, length, originLeft, Tracker.documentEnd, at: &cursor)
            return effect
        }
        if first.prepare != 0 {
            put(id, length, originLeft, first.id, at: &cursor)
            return effect
        }
        var right = cursor
        var originRight = Tracker.documentEnd
        repeat {
            right.slot += 1
            guard let next = roll(&right) else { break }
            if next.prepare != 0 { originRight = next.id }
        } while originRight == Tracker.documentEnd
        effect += integrate(id, originLeft, originRight, right, &cursor, order)
        put(id, length, originLeft, originRight, at: &cursor)
        return effect
    }

    /// Moves a cursor behind the last span of a leaf to the next one; nil at the end of the document, where the cursor
    /// stays.
    @inline(__always)
    private func roll(_ cursor: inout TrackerCursor) -> Span? {
        var place = cursor
        while place.slot >= leaves[Int(place.leaf)].count {
            place = TrackerCursor(leaf: leaves[Int(place.leaf)].next, slot: 0, offset: 0)
            if place.leaf < 0 { return nil }
        }
        cursor = place
        return base(place.leaf)[Int(place.slot)]
    }

    /// Finds the place of an insertion among concurrent ones: the order of YjsMod, which is that of FugueMax (Weidner
    /// and Kleppmann, "The Art of the Fugue", 2023). Moves the cursor, which stands at the first concurrent span, and
    /// gives back how many characters of the text being built were passed.
    ///
    /// Further right comes first who reaches further to the right; among those who reach equally far the name decides.
    private func integrate(
        _ id: Int32, _ originLeft: Int32, _ originRight: Int32, _ end: TrackerCursor,
        _ cursor: inout TrackerCursor, _ order: EventOrder
    ) -> Int32 {
        let origin = originLeft < 0 ? nil : locate(originLeft)
        var (place, passed) = (cursor, Int32(0))
        var skipped: Int32 = 0
        var isScanning = false
        while true {
            if !isScanning { (cursor, passed) = (place, skipped) }
            guard let other = roll(&place), originRight != other.id else { break }
            if !isScanning { cursor = place }
            if other.originLeft != originLeft {
                guard let origin else {
                    skip(other)
                    continue
                }
                if other.originLeft < 0 || isBefore(locate(other.originLeft), origin) { break }
            } else if other.originRight == originRight {
                if order.isBefore(id, other.id) { break }
                isScanning = false
            } else {
                isScanning =
                    other.originRight != Tracker.documentEnd
                    && (originRight == Tracker.documentEnd || isBefore(locate(other.originRight), end))
            }
            skip(other)
        }
        return passed

        func skip(_ span: Span) {
            skipped += span.effectWidth
            place.slot += 1
        }
    }

    /// Puts the characters of consecutive events before the cursor's span, or behind the one before if they go on there.
    private mutating func put(
        _ id: Int32, _ length: Int32, _ originLeft: Int32, _ originRight: Int32,
        at cursor: inout TrackerCursor
    ) {
        var (id, length, originLeft) = (id, length, originLeft)
        while length > 0 {
            let count = min(length, Tracker.spanLimit)
            let span = Span(
                id: id, length: count, originLeft: originLeft, originRight: originRight, prepare: 1,
                isDeleted: false)
            if cursor.slot > 0, base(cursor.leaf)[Int(cursor.slot) - 1].continues(in: span) {
                base(cursor.leaf)[Int(cursor.slot) - 1].length += count
                places.set(id, count, to: cursor.leaf)
                self.count(cursor.leaf, prepare: count, effect: count)
            } else {
                insert(span, at: &cursor)
                cursor.slot += 1
            }
            id += count
            length -= count
            originLeft = id - 1
        }
    }

    /// Cuts the span of a cursor that stands within it; the cursor stands at the right part then.
    private mutating func divide(_ cursor: inout TrackerCursor) {
        makeRoom(1, &cursor)
        let span = base(cursor.leaf) + Int(cursor.slot)
        (span + 2).update(from: span + 1, count: Int(leaves[Int(cursor.leaf)].count - cursor.slot) - 1)
        span[1] = span.pointee.suffix(from: cursor.offset)
        span.pointee.length = cursor.offset
        leaves[Int(cursor.leaf)].count += 1
        cursor = TrackerCursor(leaf: cursor.leaf, slot: cursor.slot + 1, offset: 0)
    }

    // MARK: Deleting

    /// Deletes characters from the `position`-th that is there, and takes those that are in the text being built out of
    /// it. They may stand apart: what their author did not see stays in between.
    ///
    /// - Parameter shows: false if the text includes the deletion already.
    mutating func delete(_ count: Int32, at position: Int32, in text: inout TextBuffer, shows: Bool) {
        var (cursor, effect) = find(position)
        var removed: (effect: Int32, count: Int32) = (0, 0)
        var left = count
        while true {
            let span = base(cursor.leaf)[Int(cursor.slot)]
            let part = min(left, span.length - cursor.offset)
            if !span.isDeleted && shows {
                effect += cursor.offset
                if effect != removed.effect {
                    if removed.count > 0 { text.remove(Int(removed.count), at: Int(removed.effect)) }
                    removed = (effect, 0)
                }
                removed.count += part
            }
            let first = span.id + cursor.offset
            change(cursor, part, by: 1, deletes: true)
            note(Deletion(id: first, count: part))
            left -= part
            guard left > 0 else { break }
            if !step(behind: first + part - 1, &cursor, &effect) { (cursor, effect) = find(position) }
        }
        if removed.count > 0 { text.remove(Int(removed.count), at: Int(removed.effect)) }
    }

    /// Goes from a character to the next one that is there, if it is near; `effect` grows by what is passed of the text
    /// being built.
    private func step(behind id: Int32, _ cursor: inout TrackerCursor, _ effect: inout Int32) -> Bool {
        cursor = locate(id)
        for _ in 0..<16 {
            cursor.slot += 1
            cursor.offset = 0
            guard let span = roll(&cursor) else { return false }
            if span.prepare == 1 { return true }
            effect += span.effectWidth
        }
        return false
    }

    // MARK: Changing the version

    /// Takes consecutive characters out of the version of the next event, or puts them in again.
    @inline(__always)
    mutating func toggle(_ first: Int32, _ count: Int32, by step: Int32) {
        var (id, left) = (first, count)
        while left > 0 {
            let cursor = locate(id)
            let span = base(cursor.leaf)[Int(cursor.slot)]
            let part = min(left, span.length - cursor.offset)
            change(cursor, part, by: step, deletes: false)
            id += part
            left -= part
        }
    }

    /// Takes a run of deletions out of the version of the next event, or puts it in again: all that began with an event.
    mutating func toggleDeletions(_ first: Int32, _ count: Int32, by step: Int32) {
        var (place, left) = (Int(places[first]), count)
        while left > 0 {
            let deletion = deletions[place]
            toggle(deletion.id, deletion.count, by: step)
            left -= deletion.count
            place += 1
        }
    }

    /// Changes the state of `count` characters from the cursor on, all in one span. Cuts it if need be, and lets the
    /// part go over to a neighbour of the same state.
    private mutating func change(_ start: TrackerCursor, _ count: Int32, by step: Int32, deletes: Bool) {
        var cursor = start
        var span = base(cursor.leaf) + Int(cursor.slot)
        let whole = span.pointee
        var part = whole
        part.prepare &+= step
        if deletes { part.isDeleted = true }
        let offset = cursor.offset
        (part.id, part.length) = (whole.id + offset, count)
        if offset > 0 { part.originLeft = part.id - 1 }
        let prepare = part.prepareWidth - (whole.prepare == 1 ? count : 0)
        let effect = part.effectWidth - (whole.isDeleted ? 0 : count)
        if offset == 0 && count == whole.length {
            span.pointee = part
            join(cursor)
        } else if offset == 0 {
            if cursor.slot > 0, span[-1].continues(in: part) {
                span[-1].length += count
                span.pointee = whole.suffix(from: count)
            } else {
                makeRoom(1, &cursor)
                span = base(cursor.leaf) + Int(cursor.slot)
                open(1, at: cursor)
                span[0] = part
                span[1] = whole.suffix(from: count)
            }
        } else if offset + count == whole.length {
            if cursor.slot + 1 < leaves[Int(cursor.leaf)].count, part.continues(in: span[1]) {
                span[1].id = part.id
                span[1].originLeft = part.originLeft
                span[1].length += count
                span.pointee.length = offset
            } else {
                makeRoom(1, &cursor)
                span = base(cursor.leaf) + Int(cursor.slot)
                open(1, at: cursor)
                span[0].length = offset
                span[1] = part
            }
        } else {
            makeRoom(2, &cursor)
            span = base(cursor.leaf) + Int(cursor.slot)
            open(2, at: cursor)
            span[0].length = offset
            span[1] = part
            span[2] = whole.suffix(from: offset + count)
        }
        self.count(cursor.leaf, prepare: prepare, effect: effect)
    }

    /// Makes places in a leaf behind the cursor's span, which stays in the first of them.
    @inline(__always)
    private func open(_ places: Int, at cursor: TrackerCursor) {
        let span = base(cursor.leaf) + Int(cursor.slot)
        let behind = Int(leaves[Int(cursor.leaf)].count - cursor.slot) - 1
        (span + 1 + places).update(from: span + 1, count: behind)
        span[places] = span.pointee
        leaves[Int(cursor.leaf)].count += Int32(places)
    }

    /// Joins a span with its neighbours in the leaf if they are of one state now.
    @inline(__always)
    private func join(_ cursor: TrackerCursor) {
        var slot = Int(cursor.slot)
        let first = base(cursor.leaf)
        if slot > 0, first[slot - 1].continues(in: first[slot]) {
            first[slot - 1].length += first[slot].length
            close(slot, cursor.leaf)
            slot -= 1
        }
        if slot + 1 < Int(leaves[Int(cursor.leaf)].count), first[slot].continues(in: first[slot + 1]) {
            first[slot].length += first[slot + 1].length
            close(slot + 1, cursor.leaf)
        }
    }

    @inline(__always)
    private func close(_ slot: Int, _ leaf: Int32) {
        let span = base(leaf) + slot
        span.update(from: span + 1, count: Int(leaves[Int(leaf)].count) - slot - 1)
        leaves[Int(leaf)].count -= 1
    }
}
