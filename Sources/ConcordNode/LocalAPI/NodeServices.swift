// What the local API can do apart from peers and status: spaces, records, search, log, import and care of the
// replica. Routes only translate between HTTP and these calls; tests call them directly or through a socket.

import ConcordAPI
import ConcordModel
import ConcordStore

/// A change of a record's fields, as a request gives it. Values are checked by the store.
public struct RecordEdits: Hashable, Sendable {
    /// Registers to write, an empty text clears one.
    public var set: [Field<Value>]
    /// Elements to put into sets.
    public var add: [Field<[Value]>]
    /// Elements to take out of sets.
    public var remove: [Field<[Value]>]

    /// A field and what is done to it.
    public struct Field<Content: Hashable & Sendable>: Hashable, Sendable {
        /// The field.
        public let name: UTF8Text
        /// One value, or several elements.
        public let content: Content

        public init(_ name: UTF8Text, _ content: Content) {
            self.name = name
            self.content = content
        }
    }

    public init(set: [Field<Value>] = [], add: [Field<[Value]>] = [], remove: [Field<[Value]>] = []) {
        self.set = set
        self.add = add
        self.remove = remove
    }
}

/// A record to be created.
public struct RecordCreation: Hashable, Sendable {
    /// The kind, one of the vocabulary.
    public var kind: UTF8Text
    /// Id, id prefix or name; nil means the only space.
    public var space: String?
    /// Id or id prefix of the record above.
    public var parent: String?
    /// Its fields; nothing is removed.
    public var edits: RecordEdits

    public init(kind: UTF8Text, space: String?, parent: String?, edits: RecordEdits) {
        self.kind = kind
        self.space = space
        self.parent = parent
        self.edits = edits
    }
}

/// Which of several concurrent values wins.
public enum Settlement: Hashable, Sendable {
    /// The value of this number in the order of display, from 1.
    case take(Int)
    /// Another value.
    case value(Value)
}

/// Which records to list.
public struct RecordSelection: Hashable, Sendable {
    /// The kind, nil for all.
    public var kind: UTF8Text?
    /// Id, id prefix or name; nil for all.
    public var space: String?
    /// The code of the member that created them.
    public var member: String?
    /// Fields and the text that each must show.
    public var conditions: [Condition]
    /// Whether records that are not shown are listed too.
    public var includesDeleted: Bool
    /// Id or id prefix of the record above.
    public var parent: String?

    /// A field and the text that it must show.
    public struct Condition: Hashable, Sendable {
        /// The field.
        public let field: String
        /// What it must show.
        public let text: String

        public init(field: String, text: String) {
            self.field = field
            self.text = text
        }
    }

    public init(
        kind: UTF8Text? = nil, space: String? = nil, member: String? = nil, conditions: [Condition] = [],
        includesDeleted: Bool = false, parent: String? = nil
    ) {
        self.kind = kind
        self.space = space
        self.member = member
        self.conditions = conditions
        self.includesDeleted = includesDeleted
        self.parent = parent
    }
}

/// Which changes to list, the latest first.
public struct LogSelection: Hashable, Sendable {
    /// Id or id prefix of a record.
    public var record: String?
    /// A member's code.
    public var member: String?
    /// Milliseconds since 1970.
    public var since: Int64?
    /// Id, id prefix or name; nil for all.
    public var space: String?
    /// How many at most.
    public var limit: Int

    public init(
        record: String? = nil, member: String? = nil, since: Int64? = nil, space: String? = nil,
        limit: Int = 100
    ) {
        self.record = record
        self.member = member
        self.since = since
        self.space = space
        self.limit = limit
    }
}

/// The work of the daemon, behind the local API. Everything that is thrown to the caller is a
/// ``ConcordError``. `space` is an id, a unique prefix of one, or a name; `author` is the label that the
/// changes carry.
public protocol NodeServices: SpaceServices, TextServices, AttachmentServices {
    /// Who this node is.
    func identity() async throws -> IdentityDocument

    /// The records that fit. Throws E-1013 and E-1002 for kinds and fields that there are not.
    func records(_ query: RecordSelection) async throws -> RecordsDocument
    /// One record, by id or unique prefix, with those right below it, and for a document with who endorsed it. Throws
    /// E-1004 or E-1005.
    func record(_ id: String) async throws -> RecordDetailDocument
    /// Creates a record. Throws E-1002, E-1003, E-1013 or E-1016 for what the vocabulary refuses.
    func create(_ creation: RecordCreation, author: String) async throws -> RecordDocument
    /// Changes fields of a record.
    ///
    /// - Parameter base: The version that the person saw; the edit is refused if the record has moved on.
    func update(_ id: String, _ edits: RecordEdits, base: String?, author: String) async throws
        -> RecordDocument
    /// Deletes a record, with everything below it.
    func delete(_ id: String, author: String) async throws -> RecordDocument
    /// Takes back the deletes of a record.
    func restore(_ id: String, author: String) async throws -> RecordDocument
    /// Erases for good all values of the record that this node's member wrote. Throws E-1008 if there are none.
    func erase(_ id: String, reason: String, author: String) async throws -> ErasureDocument
    /// Settles a field in conflict. Throws E-1012 if there is no such conflict or value.
    func resolve(_ id: String, field: UTF8Text, _ settlement: Settlement, author: String) async throws
        -> RecordDocument
    /// The records with fields in conflict, or edited while deleted.
    func conflicts(in space: String?) async throws -> RecordsDocument
    /// Copies a record, with what is below it, into another space. Throws E-1017 for one that is not shared, E-1006 for
    /// one with a field in conflict.
    func share(_ id: String, to space: String, author: String) async throws -> ShareDocument
    /// The records that hold the words, the best first; no text is an error.
    func search(_ text: String, kind: UTF8Text?, space: String?, limit: Int) async throws -> SearchDocument
    /// Changes of the log, the latest first.
    func log(_ query: LogSelection) async throws -> LogListDocument
    /// Imports records, one change each. Throws E-1011, which names the line and what was imported.
    func importRows(_ rows: [ImportRow], into space: String?, author: String) async throws -> ImportDocument

    /// Examines what can be wrong with a node.
    func doctor() async throws -> DoctorDocument
    /// Verifies the whole log and recomputes the visible state; problems stand in the report and are not
    /// thrown.
    func verify() async throws -> VerifyDocument
    /// Makes a backup without stopping anything, and reads it back.
    ///
    /// - Parameter path: Absolute, for a file that does not exist yet.
    func backup(to path: String) async throws -> BackupDocument
    /// The backups that the node made by itself.
    func backups() async throws -> BackupsDocument
}
