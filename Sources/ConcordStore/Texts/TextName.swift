// Where the store's names meet those of texts: an edit of a text is the `edit` operation of one change, so its name is
// the change's, by the name of its chain. What people see of a text is the text without what stands for erased scalars.

import ConcordCrypto
import ConcordModel
import ConcordText

extension TextEditID {
    /// The edit of a change, by the name of its chain.
    init(_ dot: Dot) {
        let value = dot.replica.value
        self.init(TextAgent(high: value.high, low: value.low), dot.sequence)
    }

    /// The change whose edit this is, by the name of its chain.
    var dot: Dot { Dot(ReplicaID(Bytes16(high: agent.high, low: agent.low)), sequence) }
}

/// What people see of a text.
struct DisplayedText {
    /// The text in UTF-8.
    let utf8: [UInt8]

    /// What people see of a text as it is kept.
    init(of kept: [UInt8]) { utf8 = UTF8Scan.withoutErased(kept) }

    /// The text's hash.
    var hash: Digest { SHA256.hash(utf8) }

    /// The number of Unicode scalars.
    var scalars: Int { UTF8Scan.scalarCount(utf8) }

    /// The text itself.
    var string: String { String(decoding: utf8, as: UTF8.self) }
}

extension RecordState.Text {
    /// A text in short.
    init(field: UTF8Text, of kept: TextBuffer) {
        let shown = DisplayedText(of: kept.utf8)
        self.init(field: field, hash: shown.hash, scalars: shown.scalars)
    }
}
