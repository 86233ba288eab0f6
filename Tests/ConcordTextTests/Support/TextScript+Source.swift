// A failing history made small, and written as source to put into a test.

import ConcordText

/// Removes edits and runs of `edits` as long as what remains still `fails`.
func shrunk(_ edits: [TextEdit], while fails: ([TextEdit]) -> Bool) -> [TextEdit] {
    var edits = edits
    var isSmaller = true
    while isSmaller {
        isSmaller = false
        for index in edits.indices.reversed() where index < edits.count {
            let smaller = without(index, edits)
            if fails(smaller) {
                edits = smaller
                isSmaller = true
            }
        }
        for index in edits.indices {
            for candidate in simpler(edits[index]) {
                var changed = edits
                changed[index] = candidate
                if fails(changed) {
                    edits = changed
                    isSmaller = true
                    break
                }
            }
        }
    }
    return edits
}

/// The edits as source.
func source(_ edits: [TextEdit]) -> String {
    let agents = Set(edits.map(\.id.agent)).sorted()
    var names: [TextAgent: String] = [:]
    var lines: [String] = []
    for (index, agent) in agents.enumerated() {
        names[agent] = "a\(index)"
        lines.append("let a\(index) = TextAgent(high: \(agent.high), low: \(agent.low))")
    }
    func name(_ id: TextEditID) -> String { "TextEditID(\(names[id.agent]!), \(id.sequence))" }
    lines.append("let edits: [TextEdit] = [")
    for edit in edits {
        let parents = edit.parents.map(name).joined(separator: ", ")
        let runs = edit.runs.map {
            ".init(position: \($0.position), deleted: \($0.deleted), inserted: \($0.inserted))"
        }
        let text = edit.inserted.map {
            "\""
                + String(decoding: $0, as: UTF8.self).unicodeScalars.map { $0.escaped(asASCII: true) }
                .joined() + "\""
        }
        lines.append(
            "    TextEdit(\(name(edit.id)), after: [\(parents)], [\(runs.joined(separator: ", "))], \(text ?? "nil")),"
        )
    }
    return (lines + ["]"]).joined(separator: "\n")
}

/// Without one edit: those after it come after those before it.
private func without(_ index: Int, _ edits: [TextEdit]) -> [TextEdit] {
    let gone = edits[index]
    var remaining: [TextEdit] = []
    for edit in edits where edit.id != gone.id {
        var parents = edit.parents
        if parents.contains(gone.id) {
            parents.removeAll { $0 == gone.id }
            parents += gone.parents.filter { !parents.contains($0) }
        }
        remaining.append(TextEdit(id: edit.id, parents: parents, runs: edit.runs, inserted: edit.inserted))
    }
    return remaining
}

/// The edit without one of its runs or parents, and with shorter runs.
private func simpler(_ edit: TextEdit) -> [TextEdit] {
    var candidates: [TextEdit] = []
    func add(_ runs: [TextRun], _ parents: [TextEditID]) {
        let inserted = runs.reduce(0) { $0 + Int($1.inserted) }
        // A run that does nothing is no run.
        guard inserted < 1000, runs.allSatisfy({ $0.deleted + $0.inserted > 0 }) else { return }
        let letters = (0..<inserted).map { UInt8(97 + $0 % 26) }
        candidates.append(
            TextEdit(
                id: edit.id, parents: parents, runs: runs, inserted: edit.inserted == nil ? nil : letters))
    }
    for index in edit.parents.indices {
        var parents = edit.parents
        parents.remove(at: index)
        add(edit.runs, parents)
    }
    for (index, run) in edit.runs.enumerated() {
        var runs = edit.runs
        runs.remove(at: index)
        add(runs, edit.parents)
        if run.inserted > 0 {
            runs = edit.runs
            runs[index] = TextRun(position: run.position, deleted: run.deleted, inserted: run.inserted - 1)
            add(runs, edit.parents)
        }
        if run.deleted > 0 {
            runs = edit.runs
            runs[index] = TextRun(position: run.position, deleted: run.deleted - 1, inserted: run.inserted)
            add(runs, edit.parents)
        }
    }
    return candidates
}
