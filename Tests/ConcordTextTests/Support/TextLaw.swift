// What must hold of every history, and how a history of which it does not hold is reported: made small, as source.

import ConcordText
import Testing

/// Something that holds of every history.
struct TextLaw: Sendable {
    let name: String
    /// What is wrong with the program's answer to these edits, each after its parents; nil if nothing is.
    let fault: @Sendable ([TextEdit], inout Seeded) throws -> String?

    /// Looks for a history of which it does not hold.
    func check(_ seeds: ClosedRange<UInt64>, _ size: TextScriptSize = TextScriptSize()) {
        for seed in seeds {
            let edits = TextScript(seed: seed, size: size).edits
            guard isBroken(by: edits, seed) != nil else { continue }
            let small = shrunk(edits) { isBroken(by: $0, seed) != nil }
            Issue.record("\(name), seed \(seed): \(isBroken(by: small, seed) ?? "")\n\(source(small))")
            // What follows would mostly be the same fault again.
            return
        }
    }

    private func isBroken(by edits: [TextEdit], _ seed: UInt64) -> String? {
        var dice = Seeded(seed ^ 0x6c61_7773)
        do {
            return try fault(edits, &dice)
        } catch {
            return "threw \(error)"
        }
    }
}

/// A text that is built with the program, and what the program says of the edits.
struct Subject {
    var text = MergedText()
    var inert: Set<TextEditID> = []
    var applied: [TextEditID] = []

    mutating func apply(_ edits: [TextEdit]) throws {
        inert.formUnion(try text.apply(edits))
        applied += edits.map(\.id)
    }

    /// What differs from what the edits mean, nil if nothing does.
    func fault(_ oracle: TreeOracle) throws -> String? {
        let expected = oracle.written(at: applied).map(\.scalar)
        if let fault = Subject.fault("the text", text.text, expected) { return fault }
        let known = Set(applied)
        let inertExpected = oracle.inert.filter { known.contains($0) }
        if inert != inertExpected { return "inert are \(inert.sorted()), expected \(inertExpected.sorted())" }
        let heads = known.filter { head in
            !known.contains { $0 != head && oracle.isKnown(head, at: [$0]) }
        }
        if text.version != heads.sorted() {
            return "the version is \(text.version), expected \(heads.sorted())"
        }
        if text.history.editCount != known.count { return "there are \(text.history.editCount) edits" }
        return nil
    }

    /// What differs between a text and what it should be.
    static func fault(_ what: String, _ found: TextBuffer, _ expected: [UInt32]) -> String? {
        let bytes = encoded(expected)
        guard found.utf8 != bytes || found.scalarCount != expected.count || found.byteCount != bytes.count
        else { return nil }
        let words = String(decoding: found.utf8, as: UTF8.self).debugDescription
        return "\(what) is \(words) of \(found.scalarCount) scalars, expected "
            + "\(String(decoding: bytes, as: UTF8.self).debugDescription) of \(expected.count)"
    }
}

/// Consecutive scalars of one edit.
struct ExpectedPassage: Hashable {
    let edit: TextEditID
    var scalars: Int
}

/// Who wrote which part, from the definition.
func expectedPassages(_ written: [WrittenScalar]) -> [ExpectedPassage] {
    var passages: [ExpectedPassage] = []
    for scalar in written {
        if let last = passages.last, last.edit == scalar.edit {
            passages[passages.count - 1].scalars += 1
        } else {
            passages.append(ExpectedPassage(edit: scalar.edit, scalars: 1))
        }
    }
    return passages
}

extension Subject {
    /// Who wrote which part, as the program says.
    func passages(at version: [TextEditID]? = nil) throws -> [ExpectedPassage] {
        try text.passages(at: version).map { ExpectedPassage(edit: $0.edit, scalars: $0.scalars) }
    }
}
