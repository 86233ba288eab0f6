// What a person or an import asks to have written. A draft becomes one change: all of it or nothing.

import ConcordCrypto
import ConcordModel

/// The edits that become one change, in order.
public typealias Draft = [RecordEdit]

/// One thing to do to one record, or to the roster.
public enum RecordEdit: Hashable, Sendable {
    /// Makes a record of a kind of the vocabulary.
    case create(kind: UTF8Text, parent: ParentReference? = nil, fields: [FieldEdit])
    /// Writes fields. With `base`, only if the record still has this version.
    case update(RecordID, [FieldEdit], base: String? = nil)
    /// Writes a text that merges: what of it is another than in the version `base` becomes an edit, and what others did
    /// since stays. Without `base` it is compared with the present text.
    case write(RecordID, field: UTF8Text, text: UTF8Text, base: String?)
    /// Settles a field with several concurrent values.
    case resolve(RecordID, field: UTF8Text, Resolution)
    /// Deletes the record as far as it is seen here, with everything below it.
    case delete(RecordID)
    /// Takes back the deletes of the record that stand open.
    case restore(RecordID)
    /// Erases for good all values of the record that this node's member wrote. Nothing else may be done to the record
    /// in the same draft.
    case erase(RecordID, reason: UTF8Text)
    /// Carries one member's signature under a formal act.
    case act(SignedAct)
}

/// The record under which another is made.
public enum ParentReference: Hashable, Sendable {
    /// A record that is held.
    case existing(RecordID)
    /// The record that the edit with this index, from 0, of the same draft creates.
    case edit(Int)
}

/// What to do to one field.
public enum FieldEdit: Hashable, Sendable {
    /// Writes a register; ``Value/empty`` clears it.
    case set(UTF8Text, Value)
    /// Puts an element into a set.
    case add(UTF8Text, Value)
    /// Takes an element out of a set.
    case remove(UTF8Text, Value)

    var field: UTF8Text {
        switch self {
        case .set(let field, _), .add(let field, _), .remove(let field, _): field
        }
    }
}

/// How a conflict is settled.
public enum Resolution: Hashable, Sendable {
    /// By the value of this number, from 1, in the order in which they are shown.
    case take(Int)
    /// By another value.
    case value(Value)
}

/// A change that is durable. A draft with a large text becomes several changes, which stand or fall together: then it is
/// the last of them.
public struct WrittenChange: Hashable, Sendable {
    /// Its name.
    public let dot: Dot
    /// Its hash.
    public let hash: Digest
    /// The records that it created, in the order of the draft's `create` edits.
    public let created: [RecordID]
}
