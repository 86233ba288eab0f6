// How edits come into the history.

extension TextHistory {
    /// Adds an edit behind those it follows.
    ///
    /// - Parameter isInert: whether it is known to have no effect.
    /// - Throws: ``TextError``; then nothing, or a part of the edit, was added.
    mutating func append(_ edit: TextEdit, isInert: Bool) throws(TextError) {
        var events: [Int32] = []
        events.reserveCapacity(edit.parents.count)
        for parent in edit.parents {
            guard let event = lastEvent(of: parent) else { throw .unknownParent(parent) }
            events.append(event)
        }
        try begin(edit.id, events: isInert ? 1 : edit.eventCount)
        let parents = dominators(events)
        let agent = place(of: edit.id.agent)
        let start = end
        if !isInert { try appendRuns(edit, isNewEntry: isNewEntry(parents)) }
        finish(edit.id, agent, start: start, parents: parents)
    }

    /// Adds an edit of one run behind the present version.
    mutating func append(
        _ id: TextEditID, follows deleted: Int, at position: Int, inserting text: [UInt8], scalars: Int
    ) throws(TextError) {
        try begin(id, events: max(1, (deleted > 0 ? 1 : 0) + scalars))
        let agent = place(of: id.agent)
        let start = end
        let beginsEntry = frontier.count != 1 || frontier[0] != start - 1
        if deleted > 0 {
            appendDeletion(of: Int32(deleted), at: Int32(position), isNewEntry: beginsEntry)
        }
        if scalars > 0 {
            let isNew = beginsEntry && end == start
            append(.insert, at: Int32(position), count: Int32(scalars), isNewEntry: isNew)
            content.append(contentsOf: text)
        }
        guard !beginsEntry, end > start else {
            finish(id, agent, start: start, parents: frontier)
            return
        }
        closeEdit(agent, id.sequence, start: start)
        graph[graph.count - 1].end = end
        frontier[0] = end - 1
    }

    private func begin(_ id: TextEditID, events: Int) throws(TextError) {
        guard eventCount + events <= TextLimits.events else { throw .tooManyEvents }
        if let last = edits.last, agents[Int(last.agent)] == id.agent,
            last.sequence + UInt64(last.count) <= id.sequence,
            runsOfAgent[Int(last.agent)].last == Int32(edits.count - 1)
        {
            return
        }
        guard lastEvent(of: id) == nil else { throw .duplicate(id) }
    }

    private func isNewEntry(_ parents: [Int32]) -> Bool {
        guard let last = graph.last else { return true }
        return parents.count != 1 || parents[0] != last.end - 1
    }

    private mutating func finish(_ id: TextEditID, _ agent: Int32, start: Int32, parents: [Int32]) {
        if end == start { append(.nothing, at: 0, count: 1, isNewEntry: true) }
        closeEdit(agent, id.sequence, start: start)
        appendEntry(start..<end, parents: parents)
    }

    private mutating func appendRuns(_ edit: TextEdit, isNewEntry: Bool) throws(TextError) {
        var isNew = isNewEntry
        var offset = 0
        for run in edit.runs {
            guard run.deleted > 0 || run.inserted > 0 else { throw .malformed(edit.id) }
            if run.deleted > 0 {
                appendDeletion(of: Int32(run.deleted), at: Int32(run.position), isNewEntry: isNew)
                isNew = false
            }
            guard run.inserted > 0 else { continue }
            append(.insert, at: Int32(run.position), count: Int32(run.inserted), isNewEntry: isNew)
            isNew = false
            guard let text = edit.inserted else {
                content.append(contentsOf: Self.erased(Int(run.inserted)))
                continue
            }
            guard let next = text.offset(of: Int(run.inserted), scalarsBehind: offset) else {
                throw .malformed(edit.id)
            }
            content.append(contentsOf: text[offset..<next])
            offset = next
        }
        guard offset == edit.inserted?.count ?? 0 else { throw .malformed(edit.id) }
    }

    /// What stands for erased text of a length.
    private static func erased(_ scalars: Int) -> [UInt8] {
        var bytes = Array(TextBuffer.erasedScalar.utf8)
        let wanted = bytes.count * scalars
        bytes.reserveCapacity(wanted)
        while bytes.count < wanted { bytes += bytes.prefix(wanted - bytes.count) }
        return bytes
    }

    /// The last events of the edits of a version, ascending, without those that others of them imply.
    func events(of version: [TextEditID]) throws(TextError) -> [Int32] {
        var events: [Int32] = []
        for id in version {
            guard let event = lastEvent(of: id) else { throw .unknownVersion(id) }
            events.append(event)
        }
        return dominators(events)
    }

    /// The edits to which consecutive events belong, each with how many of them.
    func ids(of events: Range<Int32>) -> [(id: TextEditID, count: Int)] {
        var found: [(id: TextEditID, count: Int)] = []
        var (place, event) = (editRun(of: events.lowerBound), events.lowerBound)
        while event < events.upperBound {
            let run = edits[place]
            while event < min(run.end, events.upperBound) {
                let number = (event - run.start) / run.each
                let next = min(run.start + (number + 1) * run.each, events.upperBound)
                let id = TextEditID(agents[Int(run.agent)], run.sequence + UInt64(number))
                found.append((id, Int(next - event)))
                event = next
            }
            place += 1
        }
        return found
    }
}

extension [UInt8] {
    /// Where `scalars` scalars behind an offset end; nil if there are not as many.
    func offset(of scalars: Int, scalarsBehind start: Int) -> Int? {
        if scalars == 1 {
            guard start < count else { return nil }
            let next = start + UTF8Scan.length(self[start])
            return next <= count ? next : nil
        }
        var (offset, left) = (start, scalars)
        while left > 0 {
            guard offset < count else { return nil }
            offset += UTF8Scan.length(self[offset])
            left -= 1
        }
        return offset <= count ? offset : nil
    }
}
