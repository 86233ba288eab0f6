// The event graph walked scalar by scalar over one plain list (Gentle and Kleppmann, "Collaborative Text Editing with
// Eg-walker"), from the beginning, each time. It shares the idea with the program and nothing else: no runs, no
// trees, no short cuts for linear history, no partial replay. Each scalar has the state at the version that the
// next edit was written against, and the state in the result.

import ConcordText

/// What a list of edits, each after its parents, comes to when it is walked in its order.
struct NaiveWalker {
    /// The edits that have no effect.
    private(set) var inert: Set<TextEditID> = []

    private var items: [Item] = []
    /// The items in the order of the text.
    private var list: [Int] = []
    /// Per edit, the items that it inserts and deletes, once for each.
    private var touched: [TextEditID: [Int]] = [:]
    private var parents: [TextEditID: [TextEditID]] = [:]
    /// The edits whose effect the items' states include at present.
    private var present: Set<TextEditID> = []

    private struct Item {
        let scalar: UInt32
        let edit: TextEditID
        let left: Int?
        let right: Int?
        /// 0 not inserted yet, 1 seen, more than that deleted.
        var state = 1
        var isDeleted = false
    }

    init(_ edits: [TextEdit]) {
        for edit in edits { play(edit) }
    }

    /// The walk of those of `edits` that belong to `version`.
    init(_ edits: [TextEdit], at version: [TextEditID]) {
        var wanted = Set(version)
        for edit in edits.reversed() where wanted.contains(edit.id) { wanted.formUnion(edit.parents) }
        self.init(edits.filter { wanted.contains($0.id) })
    }

    /// The text of all that was walked.
    var written: [WrittenScalar] {
        list.filter { !items[$0].isDeleted }.map {
            WrittenScalar(scalar: items[$0].scalar, edit: items[$0].edit)
        }
    }

    private mutating func play(_ edit: TextEdit) {
        parents[edit.id] = edit.parents
        turn(to: past(of: edit.parents))
        present.insert(edit.id)
        guard isPossible(edit.runs) else {
            inert.insert(edit.id)
            return
        }
        var scalars: [UInt32] = []
        if let inserted = edit.inserted {
            for scalar in String(decoding: inserted, as: UTF8.self).unicodeScalars {
                scalars.append(scalar.value)
            }
        } else {
            for run in edit.runs { scalars += Array(repeating: 0xffff, count: Int(run.inserted)) }
        }
        var next = 0
        for run in edit.runs {
            for _ in 0..<run.deleted { delete(edit.id, at: Int(run.position)) }
            for offset in 0..<Int(run.inserted) {
                insert(scalars[next], edit.id, at: Int(run.position) + offset)
                next += 1
            }
        }
    }

    private func past(of version: [TextEditID]) -> Set<TextEditID> {
        var past: Set<TextEditID> = []
        var waiting = version
        while let edit = waiting.popLast() {
            if past.insert(edit).inserted { waiting += parents[edit]! }
        }
        return past
    }

    /// Makes the states those of another version.
    private mutating func turn(to past: Set<TextEditID>) {
        for edit in present where !past.contains(edit) {
            for item in touched[edit] ?? [] { items[item].state -= 1 }
        }
        for edit in past where !present.contains(edit) {
            for item in touched[edit] ?? [] { items[item].state += 1 }
        }
        present = past
    }

    private func isPossible(_ runs: [TextRun]) -> Bool {
        var length: UInt64 = 0
        for item in items where item.state == 1 { length += 1 }
        for run in runs {
            if run.position > length || run.deleted > length - run.position { return false }
            length -= run.deleted
            guard run.inserted > 0 else { continue }
            if length > 4_194_304 || run.inserted > 4_194_304 - length { return false }
            length += run.inserted
        }
        return true
    }

    private mutating func delete(_ edit: TextEditID, at position: Int) {
        var seen = 0
        for item in list where items[item].state == 1 {
            if seen == position {
                items[item].state += 1
                items[item].isDeleted = true
                touched[edit, default: []].append(item)
                return
            }
            seen += 1
        }
    }

    private mutating func insert(_ scalar: UInt32, _ edit: TextEditID, at position: Int) {
        var start = 0
        var seen = 0
        while seen < position {
            if items[list[start]].state == 1 { seen += 1 }
            start += 1
        }
        var right = start
        while right < list.count && items[list[right]].state == 0 { right += 1 }
        let item = Item(
            scalar: scalar, edit: edit, left: start > 0 ? list[start - 1] : nil,
            right: right < list.count ? list[right] : nil)
        list.insert(items.count, at: place(of: item, from: start, to: right))
        touched[edit, default: []].append(items.count)
        items.append(item)
    }

    /// Among what others wrote between the same two scalars (YjsMod).
    private func place(of item: Item, from start: Int, to right: Int) -> Int {
        var place = start
        var isUndecided = false
        for candidate in start..<right {
            if !isUndecided { place = candidate }
            let other = items[list[candidate]]
            let left = other.left.map { index(of: $0) } ?? -1
            if left < start - 1 { return place }
            guard left == start - 1 else { continue }
            if other.right == item.right {
                if comesBefore(item.edit, other.edit) { return place }
                isUndecided = false
            } else {
                isUndecided = (other.right.map { index(of: $0) } ?? list.count) < right
            }
        }
        return isUndecided ? place : right
    }

    private func index(of item: Int) -> Int {
        var index = 0
        while list[index] != item { index += 1 }
        return index
    }

    /// Bytewise, as the rule says. One edit never meets itself here.
    private func comesBefore(_ a: TextEditID, _ b: TextEditID) -> Bool {
        func bytes(_ id: TextEditID) -> [UInt8] {
            [id.agent.high, id.agent.low, id.sequence].flatMap { word in
                (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
            }
        }
        return bytes(a).lexicographicallyPrecedes(bytes(b))
    }
}
