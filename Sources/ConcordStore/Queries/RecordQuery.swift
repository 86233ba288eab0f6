// What can be asked of records and of the log.

import ConcordAPI
import ConcordModel

/// A condition on a displayed value.
public struct FieldCondition: Hashable, Sendable {
    /// The field.
    public var field: UTF8Text
    /// What a register displays, or what a set must hold; a number in decimal digits.
    public var value: String

    /// `field = value`.
    public init(field: UTF8Text, value: String) {
        self.field = field
        self.value = value
    }
}

/// Which records are wanted; what is nil does not matter.
public struct RecordQuery: Hashable, Sendable {
    /// The space.
    public var space: SpaceID?
    /// The kind.
    public var kind: UTF8Text?
    /// The code of the member that created them.
    public var owner: String?
    /// What they display, all of it.
    public var whereEquals: [FieldCondition]
    /// The record above them.
    public var parent: RecordID?
    /// Whether deleted ones are wanted too.
    public var includeDeleted: Bool
    /// How many at most.
    public var limit: Int?
    /// How many to pass over.
    public var offset: Int

    /// A query.
    public init(
        space: SpaceID? = nil, kind: UTF8Text? = nil, owner: String? = nil,
        whereEquals: [FieldCondition] = [],
        parent: RecordID? = nil, includeDeleted: Bool = false, limit: Int? = nil, offset: Int = 0
    ) {
        self.space = space
        self.kind = kind
        self.owner = owner
        self.whereEquals = whereEquals
        self.parent = parent
        self.includeDeleted = includeDeleted
        self.limit = limit
        self.offset = offset
    }
}

/// Which changes are wanted; what is nil does not matter.
public struct LogQuery: Hashable, Sendable {
    /// The space.
    public var space: SpaceID?
    /// The record on which they had effect.
    public var record: RecordID?
    /// The code of the author's member.
    public var member: String?
    /// Not older than this, in milliseconds since 1970 by the authors' clocks.
    public var since: Int64?
    /// How many at most.
    public var limit: Int

    /// A query.
    public init(
        space: SpaceID? = nil, record: RecordID? = nil, member: String? = nil, since: Int64? = nil,
        limit: Int = 100
    ) {
        self.space = space
        self.record = record
        self.member = member
        self.since = since
        self.limit = limit
    }
}

/// A record that a search found.
public struct SearchHit: Hashable, Sendable {
    /// The record.
    public let record: RecordDocument
    /// The words around the first match, in the record's text.
    public let snippet: String
}
