// What somebody is about to write, and what they would say of it afterwards: the checks hold them to that and the nodes to
// what they accepted.

import ConcordAPI
import ConcordModel
import ConcordStore

/// A draft, and what it means to whoever wrote it.
struct PlannedWork: Sendable {
    /// A record that was there, or one that the draft makes.
    enum Subject: Hashable, Sendable {
        case existing(RecordID)
        /// The record that the draft creates with this number.
        case created(Int)
    }

    /// What the writer will remember.
    enum Memory: Sendable {
        /// A field was given a value; nil: it was cleared.
        case value(Subject, field: String, JSONValue?)
        /// An element was put into a set, or taken out of it.
        case element(Subject, field: String, JSONValue, isThere: Bool)
        /// Words were written into a text, and others were taken out of it.
        case words(Subject, added: [String], gone: [String])
        /// A record was made, or deletions of it were taken back.
        case touch(Subject)
        /// A record was deleted.
        case deletion(Subject)
        /// The values that one's own member wrote to a record were erased.
        case erasure(Subject)
    }

    let draft: Draft
    var name = "act"
    var memories: [Memory] = []
}

extension Value {
    /// As documents show it; nil for the empty value.
    var shown: JSONValue? {
        switch self {
        case .text(let text): text.byteCount == 0 ? nil : .string(text.string)
        case .integer(let number): .integer(number)
        default: nil
        }
    }
}
