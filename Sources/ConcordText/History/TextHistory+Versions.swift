// What a version contains.

extension TextHistory {
    /// Those edits of a version that no other of them follows, ascending.
    ///
    /// - Throws: ``TextError/unknownVersion(_:)``.
    public func minimal(_ version: [TextEditID]) throws(TextError) -> [TextEditID] {
        try events(of: version).map(id(of:)).sorted()
    }

    /// All edits that a version contains, in the order of the events.
    ///
    /// - Throws: ``TextError/unknownVersion(_:)``.
    public func edits(of version: [TextEditID]) throws(TextError) -> [TextEditID] {
        // Of each entry of the graph the last event that is contained.
        var last = [Int32](repeating: -1, count: graph.count)
        for event in try events(of: version) {
            let place = entry(of: event)
            last[place] = max(last[place], event)
        }
        for place in graph.indices.reversed() where last[place] >= 0 {
            for parent in parentList(graph[place]) {
                let before = entry(of: parent)
                last[before] = max(last[before], parent)
            }
        }
        var contained: [TextEditID] = []
        forEachEdit { id, events, _ in
            let event = Int32(events.upperBound - 1)
            if last[entry(of: event)] >= event { contained.append(id) }
        }
        return contained
    }
}
