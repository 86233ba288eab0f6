// The order of a text by its definition: a FugueMax tree with a node for each scalar (Weidner and Kleppmann, "The Art
// of the Fugue"). A scalar becomes a right child of the scalar on its left, or, if its author saw right children
// there, a left child of the scalar on its right. Right siblings stand by descending place of what was on their
// right when they were written, left ones and equal ones by name. A scalar once placed never moves, and nothing
// here is ever transformed; so this is slow, and right if the definition is.

import ConcordText

/// What a set of edits means, by definition.
struct TreeOracle {
    /// The edits that have no effect.
    private(set) var inert: Set<TextEditID> = []

    private var edits: [TextEditID] = []
    private var numbers: [TextEditID: Int] = [:]
    private var pasts: [Past] = []
    private var nodes = [Node(scalar: 0, edit: -1, rightOrigin: 0)]
    /// All nodes but the root in the order of the text, whether somebody sees them or not.
    private var order: [Int] = []

    private static let root = 0
    /// The origin of what was written at the very end.
    private static let end = 0

    private struct Node {
        let scalar: UInt32
        let edit: Int
        var rightOrigin: Int
        var leftChildren: [Int] = []
        var rightChildren: [Int] = []
        /// The edits that delete it.
        var deletedBy: [Int] = []
    }

    /// A set of edits that holds with each edit all before it.
    private struct Past {
        var words: [UInt64] = []

        func contains(_ edit: Int) -> Bool {
            edit >> 6 < words.count && words[edit >> 6] >> UInt64(edit & 63) & 1 == 1
        }

        mutating func insert(_ edit: Int) {
            while words.count <= edit >> 6 { words.append(0) }
            words[edit >> 6] |= 1 << UInt64(edit & 63)
        }

        mutating func formUnion(_ other: Past) {
            while words.count < other.words.count { words.append(0) }
            for word in other.words.indices { words[word] |= other.words[word] }
        }
    }

    init(_ edits: [TextEdit] = []) {
        for edit in edits { add(edit) }
    }

    /// How many scalars the text has at `version`.
    func length(at version: [TextEditID]) -> Int { visible(past(version)).count }

    /// The text at `version`.
    func written(at version: [TextEditID]) -> [WrittenScalar] {
        visible(past(version)).map { WrittenScalar(scalar: nodes[$0].scalar, edit: edits[nodes[$0].edit]) }
    }

    /// Whether `edit` is one of `version` or before one of them.
    func isKnown(_ edit: TextEditID, at version: [TextEditID]) -> Bool {
        past(version).contains(numbers[edit]!)
    }

    /// Takes an edit after all that it names.
    mutating func add(_ edit: TextEdit) {
        let number = edits.count
        var past = past(edit.parents)
        let isInert = !isEffective(edit.runs, length: visible(past).count)
        past.insert(number)
        edits.append(edit.id)
        numbers[edit.id] = number
        pasts.append(past)
        guard !isInert else {
            inert.insert(edit.id)
            return
        }
        var text = edit.inserted.map { String(decoding: $0, as: UTF8.self).unicodeScalars.map(\.value) }?[...]
        for run in edit.runs {
            let position = Int(run.position)
            if run.deleted > 0 {
                for node in visible(past)[position..<position + Int(run.deleted)] {
                    nodes[node].deletedBy.append(number)
                }
            }
            for offset in 0..<Int(run.inserted) {
                insert(text == nil ? 0xffff : text!.removeFirst(), number, at: position + offset, past)
            }
        }
    }

    private func isEffective(_ runs: [TextRun], length: Int) -> Bool {
        var length = UInt64(length)
        for run in runs {
            let (end, overflow) = run.position.addingReportingOverflow(run.deleted)
            guard !overflow, end <= length else { return false }
            let (longer, tooMuch) = (length - run.deleted).addingReportingOverflow(run.inserted)
            // A text that merging made too long can be made shorter step by step.
            guard !tooMuch, run.inserted == 0 || longer <= 4_194_304 else { return false }
            length = longer
        }
        return true
    }

    private func past(_ version: [TextEditID]) -> Past {
        var past = Past()
        for edit in version { past.formUnion(pasts[numbers[edit]!]) }
        return past
    }

    private func visible(_ past: Past) -> [Int] {
        var visible: [Int] = []
        for node in order where isVisible(node, past) { visible.append(node) }
        return visible
    }

    private func isVisible(_ node: Int, _ past: Past) -> Bool {
        guard past.contains(nodes[node].edit) else { return false }
        for edit in nodes[node].deletedBy where past.contains(edit) { return false }
        return true
    }

    private mutating func insert(_ scalar: UInt32, _ edit: Int, at position: Int, _ past: Past) {
        var left = Self.root
        var right = Self.end
        var count = 0
        for node in order where past.contains(nodes[node].edit) {
            if count == position {
                right = node
                break
            }
            if isVisible(node, past) {
                left = node
                count += 1
            }
        }
        let node = nodes.count
        nodes.append(Node(scalar: scalar, edit: edit, rightOrigin: right))
        if nodes[left].rightChildren.contains(where: { past.contains(nodes[$0].edit) }) {
            let next = nodes[right].leftChildren.firstIndex { isBefore(node, $0) }
            nodes[right].leftChildren.insert(node, at: next ?? nodes[right].leftChildren.count)
        } else {
            let next = nodes[left].rightChildren.firstIndex { sibling in
                let ours = place(ofOrigin: right)
                let theirs = place(ofOrigin: nodes[sibling].rightOrigin)
                return ours > theirs || ours == theirs && isBefore(node, sibling)
            }
            nodes[left].rightChildren.insert(node, at: next ?? nodes[left].rightChildren.count)
        }
        order = traversed()
    }

    /// The order of names; the scalars of one edit are numbered as they are written.
    private func isBefore(_ a: Int, _ b: Int) -> Bool {
        let (first, second) = (edits[nodes[a].edit], edits[nodes[b].edit])
        if first.agent.high != second.agent.high { return first.agent.high < second.agent.high }
        if first.agent.low != second.agent.low { return first.agent.low < second.agent.low }
        return first.sequence != second.sequence ? first.sequence < second.sequence : a < b
    }

    private func place(ofOrigin node: Int) -> Int {
        node == Self.end ? Int.max : order.firstIndex(of: node)!
    }

    /// Left children, the node itself, right children.
    private func traversed() -> [Int] {
        var result: [Int] = []
        result.reserveCapacity(nodes.count)
        var waiting: [(node: Int, isEntered: Bool)] = [(Self.root, false)]
        while let (node, isEntered) = waiting.popLast() {
            if isEntered {
                if node != Self.root { result.append(node) }
                for child in nodes[node].rightChildren.reversed() { waiting.append((child, false)) }
            } else {
                waiting.append((node, true))
                for child in nodes[node].leftChildren.reversed() { waiting.append((child, false)) }
            }
        }
        return result
    }
}
