// What must hold in a TextBuffer's storage, checked from the bytes up. Tests call it after each edit.

extension TextBufferStorage {
    /// Traps unless the counts are those of the bytes, no node is empty, and the place is right.
    func checkInvariants() {
        let state = state.pointee
        precondition(state.groupCount > 0 && state.groupCount <= state.groupCapacity, "groups")
        var scalars = 0
        var bytes = 0
        for index in 0..<state.groupCount {
            let group = state.groups[index]
            precondition(group.count > 0 && group.count <= TextBufferSize.group, "leaves of a group")
            precondition(group.total() == state.groupScalars[index], "scalars of a group")
            for leaf in 0..<group.count {
                if index == state.place.group, leaf == state.place.leaf {
                    precondition(state.place.start == scalars, "the place's start")
                }
                let held = Int(group.bytes[leaf])
                let content = group.leaves[leaf]
                precondition(held <= TextBufferSize.leaf, "bytes of a leaf")
                precondition(held > 0 || state.bytes == 0, "an empty leaf")
                precondition(held == 0 || UTF8Scan.begins(content[0]), "a scalar is torn")
                let count = Self.count(content, held)
                precondition(count == Int(group.scalars[leaf]), "scalars of a leaf")
                scalars += count
                bytes += held
            }
        }
        precondition(scalars == state.scalars && bytes == state.bytes, "counts of the text")
        let place = state.place
        precondition(place.group < state.groupCount, "the place's group")
        let group = state.groups[place.group]
        precondition(place.leaf < group.count, "the place's leaf")
        let leaf = group.leaves[place.leaf]
        let held = Int(group.bytes[place.leaf])
        precondition(place.scalar <= Int(group.scalars[place.leaf]) && place.byte <= held, "the place")
        precondition(Self.count(leaf, place.byte) == place.scalar, "the place's byte")
    }

    /// The scalars of so many bytes, counted one by one.
    private static func count(_ bytes: UnsafeMutablePointer<UInt8>, _ length: Int) -> Int {
        var count = 0
        var offset = 0
        while offset < length {
            if UTF8Scan.begins(bytes[offset]) { count &+= 1 }
            offset &+= 1
        }
        return count
    }
}
