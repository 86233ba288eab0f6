// What a creation makes of a record that nobody has touched yet follows from its change alone, so it is made while the
// change is verified, beside the writer; the writer only puts it in. That is most of what a node does that takes in the
// history of a network.

import ConcordCrypto
import ConcordModel

/// A record as its creation makes it, with everything that its row says.
struct FreshRecord: Sendable {
    let state: RecordState
    let kind: KindDescription
    let display: RecordDisplay
    /// ``RecordState/stored(beside:)``.
    let stored: [UInt8]
    /// The digest term.
    let term: Digest

    /// Nil for an entry that creates no record of a known kind, or whose text is still to be merged.
    ///
    /// - Parameter dot: the change's, by the name of its chain.
    init?(_ entry: Entry, of dot: Dot, timestamp: Int64) {
        guard let record = entry.record, case .create(let name, let parent)? = entry.operations.first,
            let kind = Vocabulary.kind(name)
        else { return nil }
        var state = RecordState(id: record, kind: name, parent: parent, dot: dot, timestamp: timestamp)
        // Whatever an operation names, nothing of it can be on a record that its own change creates.
        let past = CausalPast(of: dot, others: VersionVector())
        for operation in entry.operations.dropFirst() {
            switch operation {
            case .set(_, _, let named), .add(_, _, let named):
                guard named.isEmpty else { return nil }
                state.apply(operation, past: past, timestamp: timestamp)
            default: return nil
            }
        }
        self.state = state
        self.kind = kind
        display = RecordDisplay(state, kind: kind)
        stored = state.stored(beside: display)
        term = state.digestTerm(isLive: true)
    }

    /// Those of a change, at the places of their entries; none at all if it creates nothing.
    static func all(of change: Change, _ dot: Dot) -> [FreshRecord?] {
        guard change.entries.contains(where: \.creates) else { return [] }
        return change.entries.map { FreshRecord($0, of: dot, timestamp: change.timestamp) }
    }
}
