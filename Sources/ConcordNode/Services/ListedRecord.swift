// A record among others, in lists and search results. Its long texts are given by their beginnings: a list of a hundred
// documents is not a hundred documents.

import ConcordAPI
import ConcordModel

extension RecordDocument {
    /// The record with no more than the beginning of each of its texts that merge; those that were longer are named.
    var listed: RecordDocument {
        var listed = self
        var shortened: [String] = []
        for field in Vocabulary.kind(UTF8Text(kind))?.fields ?? [] where field.isText {
            guard case .string(let text)? = fields[field.name.string],
                let end = text.unicodeScalars.index(
                    text.startIndex, offsetBy: LocalAPILimits.listedTextScalars, limitedBy: text.endIndex),
                end != text.endIndex
            else { continue }
            listed.fields[field.name.string] = .string(String(text.unicodeScalars[..<end]))
            shortened.append(field.name.string)
        }
        if !shortened.isEmpty { listed.shortened = shortened }
        return listed
    }
}
