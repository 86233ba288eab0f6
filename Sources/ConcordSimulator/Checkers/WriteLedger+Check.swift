// Holds what everybody sees in the end against what people remember.

import ConcordAPI
import ConcordModel

extension WriteLedger {
    /// What is wrong with the records as a node shows them, deleted ones among them; nil if all is as people remember.
    func fault(in documents: [RecordDocument]) -> String? {
        var byRecord: [RecordID: [Entry]] = [:]
        for entry in entries { byRecord[entry.record, default: []].append(entry) }
        var shown: [RecordID: RecordDocument] = [:]
        for document in documents { RecordID(text: document.id).map { shown[$0] = document } }
        let liveness = Liveness(byRecord, shown, uncertain)
        for (record, entries) in byRecord.sorted(by: { $0.key < $1.key }) {
            guard let document = shown[record] else { return "record \(record) is missing" }
            guard !uncertain.contains(record), !entries.contains(where: \.isErasure) else { continue }
            let fault =
                faultOfFields(entries, document) ?? faultOfSets(entries, document)
                ?? faultOfWords(entries, document) ?? liveness.fault(record)
            if let fault { return "record \(record): \(fault)" }
        }
        return nil
    }

    /// A field shows exactly the values that nobody overrode who had seen them.
    private func faultOfFields(_ entries: [Entry], _ document: RecordDocument) -> String? {
        var writes: [String: [(entry: Entry, value: JSONValue?)]] = [:]
        for entry in entries {
            guard case .value(_, let field, let value) = entry.memory else { continue }
            writes[field, default: []].append((entry, value))
        }
        for (field, writes) in writes.sorted(by: { $0.key < $1.key }) {
            let standing = writes.filter { write in !writes.contains { $0.entry.knew(write.entry) } }
            let expected = Set(standing.map(\.value))
            let conflict = document.conflicts.first { $0.field == field }
            let found = Set(
                conflict?.values.map(\.value.nonEmpty) ?? [document.fields[field].flatMap(\.nonEmpty)])
            guard found == expected else {
                return "\(field) shows \(list(found)) where people wrote \(list(expected))"
            }
        }
        return nil
    }

    private func list(_ values: Set<JSONValue?>) -> String {
        values.map { $0.map { "\($0)" } ?? "nothing" }.sorted().joined(separator: " and ")
    }

    /// An element is in a set if somebody put it there and nobody took it out who had seen that.
    private func faultOfSets(_ entries: [Entry], _ document: RecordDocument) -> String? {
        var writes: [String: [JSONValue: [(entry: Entry, isThere: Bool)]]] = [:]
        for entry in entries {
            guard case .element(_, let field, let element, let isThere) = entry.memory else { continue }
            writes[field, default: [:]][element, default: []].append((entry, isThere))
        }
        for (field, elements) in writes.sorted(by: { $0.key < $1.key }) {
            var found: [JSONValue] = []
            if case .array(let values)? = document.fields[field] { found = values }
            for (element, writes) in elements {
                let isThere = writes.contains { write in
                    write.isThere && !writes.contains { !$0.isThere && $0.entry.knew(write.entry) }
                }
                guard found.contains(element) == isThere else {
                    return "\(element) is \(isThere ? "missing from" : "still in") \(field)"
                }
            }
        }
        return nil
    }

    /// A word that was written is in the text unless somebody took it out; a word that was taken out is gone.
    private func faultOfWords(_ entries: [Entry], _ document: RecordDocument) -> String? {
        var (there, gone): (Set<String>, Set<String>) = ([], [])
        for entry in entries {
            guard case .words(_, let added, let removed) = entry.memory else { continue }
            gone.formUnion(removed)
            // What takes the place of other words may be written around what is left of them.
            if removed.isEmpty { there.formUnion(added) }
        }
        guard !there.isEmpty || !gone.isEmpty else { return nil }
        var text = ""
        if case .string(let body)? = document.fields["body"] { text = body }
        // Where one takes out the space that another writes beside, words come to stand together: letters are looked for.
        for word in there.sorted() where !text.contains(word) && !gone.contains(where: { $0.contains(word) })
        {
            return "the word \(word) is lost from: \(text)"
        }
        if let back = gone.sorted().first(where: text.contains) {
            return "the word \(back) has come back in: \(text)"
        }
        return nil
    }
}

extension WriteLedger.Entry {
    fileprivate var isErasure: Bool { if case .erasure = memory { true } else { false } }
    fileprivate var isDeletion: Bool { if case .deletion = memory { true } else { false } }
}

/// Which records must be shown: those with something, in them or below them, that no deletion knew; and none below a
/// record that is not.
private struct Liveness {
    private let documents: [RecordID: RecordDocument]
    private let touches: [RecordID: [WriteLedger.Entry]]
    private let deletions: [RecordID: [WriteLedger.Entry]]
    /// Records of which something is not known.
    private let doubtful: Set<RecordID>

    init(
        _ entries: [RecordID: [WriteLedger.Entry]], _ documents: [RecordID: RecordDocument],
        _ uncertain: Set<RecordID>
    ) {
        self.documents = documents
        var touches: [RecordID: [WriteLedger.Entry]] = [:]
        var doubtful: Set<RecordID> = []
        for record in documents.keys {
            let entries = entries[record] ?? []
            let isKnown = !uncertain.contains(record) && entries.contains { $0.memory.isTouch }
            let isErased = entries.contains(where: \.isErasure)
            var place: RecordID? = record
            while let found = place {
                touches[found, default: []] += entries.filter(\.memory.isTouch)
                if !isKnown || isErased { doubtful.insert(found) }
                place = documents[found]?.parent.flatMap { RecordID(text: $0) }
            }
        }
        self.touches = touches
        self.doubtful = doubtful
        deletions = entries.mapValues { $0.filter(\.isDeletion) }
    }

    func fault(_ record: RecordID) -> String? {
        guard let document = documents[record] else { return nil }
        var place: RecordID? = record
        while let found = place {
            if doubtful.contains(found) { return nil }
            if !isLive(found) {
                return document.shown ? "it is shown although it was deleted" : nil
            }
            place = documents[found]?.parent.flatMap { RecordID(text: $0) }
        }
        return document.shown ? nil : "it is not shown although nobody deleted all of it"
    }

    private func isLive(_ record: RecordID) -> Bool {
        (touches[record] ?? []).contains { touch in
            !(deletions[record] ?? []).contains { $0.knew(touch) }
        }
    }
}
