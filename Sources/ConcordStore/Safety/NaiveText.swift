// A text as Protocol/text.md defines it, scalar by scalar: a tree in which each inserted scalar has its place beside
// what its author saw to its left and right. It shares no code with the merge that the store uses, keeps every scalar
// that ever was, and asks for each run what the author had before itself. That takes time with the square of the
// history, so long histories are left to a merge from the log alone (``NaiveTextCheck``).

import ConcordModel
import ConcordText

/// One text, made from its edits in an order in which each follows its parents.
struct NaiveText {
    /// A scalar that was ever inserted.
    private struct Node {
        let scalar: Unicode.Scalar
        /// The edit that inserted it, by its place among the edits, and the number of the event in it.
        let edit: Int
        let offset: Int
        /// What stood right of it for its author, nil for the end.
        let right: Int?
        var leftChildren: [Int] = []
        var rightChildren: [Int] = []
        /// The edits that deleted it.
        var deletedBy: [Int] = []
    }

    /// A set of edits by their places, one bit for each.
    private struct Places {
        private var words: [UInt64] = []

        func contains(_ place: Int) -> Bool {
            place >> 6 < words.count && words[place >> 6] >> UInt64(place & 63) & 1 == 1
        }

        mutating func insert(_ place: Int) {
            while words.count <= place >> 6 { words.append(0) }
            words[place >> 6] |= 1 << UInt64(place & 63)
        }

        mutating func formUnion(_ other: Places) {
            while words.count < other.words.count { words.append(0) }
            for index in other.words.indices { words[index] |= other.words[index] }
        }
    }

    /// The node before the first scalar.
    private static let root = 0
    private var nodes = [Node(scalar: "\0", edit: -1, offset: 0, right: nil)]
    private var names: [Dot] = []
    /// For each edit, itself and all that it follows.
    private var pasts: [Places] = []
    private var places: [Dot: Int] = [:]
    /// The edits without effect.
    private(set) var inert: Set<Dot> = []

    /// Takes in an edit.
    mutating func apply(_ edit: EditOperation, past: CausalPast) {
        let parents = edit.parents.filter(past.contains).compactMap { places[$0] }
        let place = names.count
        names.append(past.dot)
        places[past.dot] = place
        var before = Places()
        before.insert(place)
        for parent in parents { before.formUnion(pasts[parent]) }
        pasts.append(before)
        guard isPossible(edit.runs, in: place) else {
            inert.insert(past.dot)
            return
        }
        var scalars = edit.inserted.map { Array($0.string.unicodeScalars)[...] }
        var offset = 0
        for run in edit.runs {
            delete(Int(run.deleted), at: Int(run.position), by: place)
            offset += Int(run.deleted)
            let count = Int(run.inserted)
            let text = scalars.map { Array($0.prefix(count)) } ?? Array(repeating: "\u{ffff}", count: count)
            scalars = scalars?.dropFirst(count)
            insert(text, at: Int(run.position), by: place, offset: offset)
            offset += count
        }
    }

    /// The text of all edits together.
    var text: String {
        var text = String.UnicodeScalarView()
        for node in order where nodes[node].deletedBy.isEmpty { text.append(nodes[node].scalar) }
        return String(text)
    }

    // MARK: The verdict

    private func isPossible(_ runs: [TextRun], in edit: Int) -> Bool {
        guard runs.reduce(0, { $0 + $1.deleted + $1.inserted }) <= 2 * UInt64(Limits.textScalars) else {
            return false
        }
        var length = UInt64(visible(to: edit).count)
        for run in runs {
            guard run.position + run.deleted <= length else { return false }
            length = length - run.deleted + run.inserted
            guard run.inserted == 0 || length <= UInt64(Limits.textScalars) else { return false }
        }
        return true
    }

    // MARK: The tree

    /// All scalars in the order of the text: what is left of a node, the node, what is right of it.
    private var order: [Int] {
        var order: [Int] = []
        order.reserveCapacity(nodes.count)
        var waiting: [(node: Int, isOpen: Bool)] = [(Self.root, false)]
        while let (node, isOpen) = waiting.popLast() {
            if isOpen {
                if node != Self.root { order.append(node) }
                for child in nodes[node].rightChildren.reversed() { waiting.append((child, false)) }
            } else {
                waiting.append((node, true))
                for child in nodes[node].leftChildren.reversed() { waiting.append((child, false)) }
            }
        }
        return order
    }

    /// What the author of an edit knows of, deleted or not.
    private func known(to edit: Int) -> [Int] { order.filter { pasts[edit].contains(nodes[$0].edit) } }

    /// What the author of an edit sees, with what the edit did so far.
    private func visible(to edit: Int) -> [Int] {
        known(to: edit).filter { !nodes[$0].deletedBy.contains(where: pasts[edit].contains) }
    }

    private mutating func delete(_ count: Int, at position: Int, by edit: Int) {
        guard count > 0 else { return }
        for node in visible(to: edit)[position..<position + count] { nodes[node].deletedBy.append(edit) }
    }

    private mutating func insert(_ text: [Unicode.Scalar], at position: Int, by edit: Int, offset: Int) {
        guard let first = text.first else { return }
        let known = known(to: edit)
        let left = position == 0 ? Self.root : visible(to: edit)[position - 1]
        let next = left == Self.root ? 0 : known.firstIndex(of: left).map { $0 + 1 } ?? 0
        let right = next < known.count ? known[next] : nil
        var node = add(Node(scalar: first, edit: edit, offset: offset, right: right))
        if let right, nodes[left].rightChildren.contains(where: { pasts[edit].contains(nodes[$0].edit) }) {
            nodes[right].leftChildren.insert(node, at: placeOnTheLeft(of: right, node))
        } else {
            nodes[left].rightChildren.insert(node, at: placeOnTheRight(of: left, node))
        }
        // Each of the others is to the right of the one before, where nothing can be yet.
        for (index, scalar) in text.enumerated().dropFirst() {
            let following = add(Node(scalar: scalar, edit: edit, offset: offset + index, right: right))
            nodes[node].rightChildren.append(following)
            node = following
        }
    }

    private mutating func add(_ node: Node) -> Int {
        nodes.append(node)
        return nodes.count - 1
    }

    /// Left children stand by their names.
    private func placeOnTheLeft(of parent: Int, _ node: Int) -> Int {
        let children = nodes[parent].leftChildren
        return children.firstIndex { isNamedBefore(node, $0) } ?? children.count
    }

    /// Of right children the one comes first whose author saw the farthest text right of it; then they stand by name.
    private func placeOnTheRight(of parent: Int, _ node: Int) -> Int {
        let children = nodes[parent].rightChildren
        guard !children.isEmpty else { return 0 }
        let ranks = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
        func rank(_ node: Int) -> Int { nodes[node].right.flatMap { ranks[$0] } ?? .max }
        let own = rank(node)
        return children.firstIndex { child in
            own > rank(child) || own == rank(child) && isNamedBefore(node, child)
        } ?? children.count
    }

    private func isNamedBefore(_ a: Int, _ b: Int) -> Bool {
        (names[nodes[a].edit], nodes[a].offset) < (names[nodes[b].edit], nodes[b].offset)
    }
}
