// The same history otherwise: in another order, under other names, in parts.

import ConcordText

/// The edits in another order in which each comes after its parents.
func reordered(_ edits: [TextEdit], _ dice: inout Seeded) -> [TextEdit] {
    var children: [TextEditID: [Int]] = [:]
    var missing = edits.map { Set($0.parents).count }
    for (index, edit) in edits.enumerated() {
        for parent in Set(edit.parents) { children[parent, default: []].append(index) }
    }
    var ready = edits.indices.filter { missing[$0] == 0 }
    var result: [TextEdit] = []
    // Either branch by branch or all mixed.
    let isDeep = dice.chance(50)
    while !ready.isEmpty {
        let choice = isDeep && dice.chance(80) ? ready.count - 1 : dice.below(ready.count)
        let edit = edits[ready.remove(at: choice)]
        result.append(edit)
        for child in (children[edit.id] ?? []).sorted() {
            missing[child] -= 1
            if missing[child] == 0 { ready.append(child) }
        }
    }
    return result
}

/// The edits in parts of random lengths.
func batches(_ edits: [TextEdit], _ dice: inout Seeded) -> [[TextEdit]] {
    var batches: [[TextEdit]] = []
    var rest = edits[...]
    let longest = dice.one(of: [1, 3, 8, edits.count + 1])
    while !rest.isEmpty {
        let batch = rest.prefix(1 + dice.below(longest))
        batches.append(Array(batch))
        rest = rest.dropFirst(batch.count)
    }
    return batches
}

/// The edits under other agents in the same order.
func renamed(_ edits: [TextEdit], _ dice: inout Seeded) -> [TextEdit] {
    let old = Set(edits.map(\.id.agent)).sorted()
    var new: Set<TextAgent> = []
    while new.count < old.count { new.insert(TextAgent(high: dice.next(), low: dice.next())) }
    let names = Dictionary(uniqueKeysWithValues: zip(old, new.sorted()))
    func name(_ id: TextEditID) -> TextEditID { TextEditID(names[id.agent]!, id.sequence) }
    return edits.map {
        TextEdit(id: name($0.id), parents: $0.parents.map(name), runs: $0.runs, inserted: $0.inserted)
    }
}

/// A version: some edits, whether or not they imply each other.
func someVersion(_ edits: [TextEdit], _ dice: inout Seeded) -> [TextEditID] {
    (0..<dice.below(4)).compactMap { _ in edits.isEmpty ? nil : edits[dice.below(edits.count)].id }
}
