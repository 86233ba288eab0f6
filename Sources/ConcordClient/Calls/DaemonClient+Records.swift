// Calls about records. A record is named by its id or a unique prefix of it.

import ConcordAPI
import ConcordModel

/// Which records are asked for.
public struct RecordFilter: Hashable, Sendable {
    /// The kind; nil for all.
    public var kind: String?
    /// The space; nil for all.
    public var space: String?
    /// The code of the owner.
    public var member: String?
    /// `field=value`; all must hold.
    public var conditions: [String]
    /// Whether deleted records are listed too.
    public var includesDeleted: Bool
    /// Only those directly below this record.
    public var parent: String?

    /// A filter; everything that is left out does not narrow it.
    public init(
        kind: String? = nil, space: String? = nil, member: String? = nil, conditions: [String] = [],
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

/// How a conflict is settled.
public enum ConflictSettlement: Hashable, Sendable {
    /// With one of the values as `conflicts` numbers them, from 1.
    case take(Int)
    /// With another value.
    case value(JSONValue)
}

extension DaemonClient {
    /// The records that pass a filter.
    public func records(_ filter: RecordFilter) async throws -> Answer<RecordsDocument> {
        var parameters: [(name: String, value: String?)] = [
            ("kind", filter.kind), ("space", filter.space), ("member", filter.member),
            ("parent", filter.parent),
            ("deleted", filter.includesDeleted ? "1" : nil),
        ]
        parameters += filter.conditions.map { (name: "where", value: $0) }
        return try await call(LocalRequest(.GET, ["records"], query: parameters))
    }

    /// A record and those below it.
    public func record(_ id: String) async throws -> Answer<RecordDetailDocument> {
        try await call(LocalRequest(.GET, ["records", id]))
    }

    /// Creates a record.
    public func create(
        kind: String, space: String?, parent: String?, _ fields: FieldAssignments
    ) async throws -> Answer<RecordDocument> {
        struct Body: Encodable {
            var kind: String
            var space: String?
            var parent: String?
            var set: [String: JSONValue]
            var add: [String: [JSONValue]]
        }
        let body = Body(kind: kind, space: space, parent: parent, set: fields.set, add: fields.add)
        return try await call(try request(.POST, ["records"], body: body))
    }

    /// Changes fields of a record; refused if `base` is given and the record is no longer of that version.
    public func update(
        _ id: String, _ fields: FieldAssignments, base: String?
    ) async throws -> Answer<RecordDocument> {
        struct Body: Encodable {
            var set: [String: JSONValue]
            var add: [String: [JSONValue]]
            var remove: [String: [JSONValue]]
            var base: String?
        }
        let body = Body(set: fields.set, add: fields.add, remove: fields.remove, base: base)
        return try await call(try request(.PATCH, ["records", id], body: body))
    }

    /// Deletes a record and what is below it.
    public func delete(_ id: String) async throws -> Answer<RecordDocument> {
        try await call(LocalRequest(.DELETE, ["records", id]))
    }

    /// Takes back the deletion of a record.
    public func restore(_ id: String) async throws -> Answer<RecordDocument> {
        try await call(LocalRequest(.POST, ["records", id, "restore"]))
    }

    /// Erases for good what this node's member wrote to a record.
    public func erase(_ id: String, reason: String) async throws -> Answer<ErasureDocument> {
        try await call(
            try request(.POST, ["records", id, "erase"], body: ["reason": reason]),
            timeout: ClientLimits.longTimeout)
    }

    /// Settles a conflict.
    public func resolve(
        _ id: String, field: String, _ settlement: ConflictSettlement
    ) async throws -> Answer<RecordDocument> {
        var body: [String: JSONValue] = ["field": .string(field)]
        switch settlement {
        case .take(let number): body["take"] = .integer(Int64(number))
        case .value(let value): body["value"] = value
        }
        return try await call(try request(.POST, ["records", id, "resolve"], body: body))
    }

    /// The records with conflicts.
    public func conflicts(space: String? = nil) async throws -> Answer<RecordsDocument> {
        try await call(LocalRequest(.GET, ["conflicts"], query: [("space", space)]))
    }

    /// The records in which words occur.
    public func search(
        _ words: String, kind: String?, space: String?, limit: Int
    ) async throws -> Answer<SearchDocument> {
        let query: [(name: String, value: String?)] = [
            ("q", words), ("kind", kind), ("space", space), ("limit", String(limit)),
        ]
        return try await call(LocalRequest(.GET, ["search"], query: query))
    }

    /// Copies a record, with what is below it, into another space.
    public func share(_ id: String, to space: String) async throws -> Answer<ShareDocument> {
        try await call(try request(.POST, ["records", id, "share"], body: ["to": space]))
    }

    /// Changes of the log, the latest first; `since` in milliseconds since 1970.
    public func log(
        record: String?, member: String?, since: Int64?, limit: Int, space: String?
    ) async throws -> Answer<LogListDocument> {
        let query: [(name: String, value: String?)] = [
            ("record", record), ("member", member), ("since", since.map(String.init)),
            ("limit", String(limit)), ("space", space),
        ]
        return try await call(LocalRequest(.GET, ["log"], query: query))
    }

    /// Imports JSON lines. May take minutes.
    public func importLines(_ bytes: [UInt8], space: String?) async throws -> Answer<ImportDocument> {
        let request = LocalRequest(
            .POST, ["import"], query: [("space", space)], contentType: "application/x-ndjson", body: bytes)
        return try await call(request, timeout: ClientLimits.longTimeout)
    }
}
