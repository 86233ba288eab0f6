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
    /// U+FFFF in UTF-8: it stands for an erased scalar, and nobody may write it.
    private static let erased: [UInt8] = [0xef, 0xbf, 0xbf]

    /// The text in UTF-8.
    let utf8: [UInt8]

    /// What people see of a text as it is kept.
    init(of kept: [UInt8]) {
        guard let first = Self.nextErased(in: kept, from: 0) else {
            utf8 = kept
            return
        }
        var shown = Array(kept[..<first])
        shown.reserveCapacity(kept.count)
        var place = first
        while place < kept.count {
            let end = Self.nextErased(in: kept, from: place) ?? kept.count
            shown.append(contentsOf: kept[place..<end])
            place = end + Self.erased.count
        }
        utf8 = shown
    }

    /// The text's hash.
    var hash: Digest { SHA256.hash(utf8) }

    /// The number of Unicode scalars.
    var scalars: Int { utf8.reduce(0) { $0 + ($1 & 0xc0 == 0x80 ? 0 : 1) } }

    /// The text itself.
    var string: String { String(decoding: utf8, as: UTF8.self) }

    private static func nextErased(in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= 3 else { return nil }
        var place = start
        while place + 2 < bytes.count {
            if bytes[place] == 0xef, bytes[place + 1] == 0xbf, bytes[place + 2] == 0xbf { return place }
            place += 1
        }
        return nil
    }
}

extension RecordState.Text {
    /// A text in short.
    init(field: UTF8Text, of kept: TextBuffer) {
        let shown = DisplayedText(of: kept.utf8)
        self.init(field: field, hash: shown.hash, scalars: shown.scalars)
    }
}
