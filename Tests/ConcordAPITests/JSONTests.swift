// The JSON of the local API: values of any shape come back, and documents have exactly the members that the
// description of the API names. What is not known is null: never 0, never left out.

import ConcordAPI
import Foundation
import Testing

@Suite("JSON documents")
struct JSONTests {
    private static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private static func decode<Value: Decodable>(_ text: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }

    @Test(
        "JSON values come back, each as its own kind",
        arguments: [
            (.null, "null"), (.boolean(true), "true"), (.boolean(false), "false"), (.integer(0), "0"),
            (.integer(1), "1"),
            (.integer(.max), "9223372036854775807"), (.integer(.min), "-9223372036854775808"),
            (.string(""), "\"\""),
            (.string("1"), "\"1\""), (.string("é\n\"水"), "\"é\\n\\\"水\""), (.array([]), "[]"),
            (.object([:]), "{}"),
            (.array([.null, .integer(1), .string("a"), .array([.boolean(true)])]), "[null,1,\"a\",[true]]"),
            (.object(["b": .integer(2), "a": .object(["x": .array([])])]), "{\"a\":{\"x\":[]},\"b\":2}"),
        ] as [(JSONValue, String)])
    func values(value: JSONValue, text: String) throws {
        #expect(try Self.encode(value) == text)
        #expect(try Self.decode(text) == value)
    }

    @Test(
        "what is no value of Concord's is refused",
        arguments: ["1.5", "1e400", "9223372036854775808", "{", "nul", ""])
    func malformed(text: String) {
        #expect(throws: (any Error).self) { try Self.decode(text) as JSONValue }
    }

    @Test("a status document has the members that its schema names")
    func statusShape() throws {
        let status = Self.status
        let text = try Self.encode(status)
        #expect(try Self.decode(text) == status)
        let json: JSONValue = try Self.decode(text)
        #expect(
            Self.members(json) == [
                "at", "attention", "backup", "node", "peers", "refusals", "schema", "spaces", "storage",
                "verdict",
            ])
        #expect(Self.value(json, "schema") == .string("concord.status/1"))
        #expect(Self.value(json, "verdict") == .string("needs a person"))
        #expect(
            Self.members(Self.value(json, "node")) == [
                "certificate", "id", "listening", "member", "memberName", "name", "protocol", "proxy",
                "uptimeSeconds",
                "version",
            ])
        #expect(
            Self.members(Self.value(json, "spaces", 0)) == [
                "changes", "conflicts", "digest", "heldByAll", "id", "kinds", "name", "records", "replica",
                "versionVector",
            ])
        #expect(
            Self.members(Self.value(json, "peers", 0)) == [
                "address", "bytesReceived", "bytesSent", "lastError", "lastHeardAt", "member", "memberName",
                "node", "reach",
                "road", "roundTripMilliseconds", "spaces", "state",
            ])
        #expect(
            Self.members(Self.value(json, "attention", 0)).isSuperset(of: ["code", "message", "severity"]))
        #expect(
            Self.members(Self.value(json, "storage")) == [
                "blobBytes", "databaseBytes", "freeBytes", "missingBlobs", "reserveBytes", "trouble",
                "wantedBlobs",
            ])
        #expect(
            Self.members(Self.value(json, "backup")) == [
                "bytes", "failure", "lastAt", "nextAt", "path", "verified",
            ])
    }

    @Test("what is not known is null in a status document, and read back as not known")
    func unknownIsNull() throws {
        let status = Self.unknownStatus
        let text = try Self.encode(status)
        let json: JSONValue = try Self.decode(text)
        #expect(Self.value(Self.value(json, "node"), "uptimeSeconds") == .null)
        for member in ["replica", "heldByAll"] {
            #expect(Self.value(Self.value(json, "spaces", 0), member) == .null)
        }
        for member in [
            "member", "memberName", "node", "address", "lastHeardAt", "roundTripMilliseconds", "lastError",
        ] {
            #expect(Self.value(Self.value(json, "peers", 0), member) == .null, "\(member)")
        }
        #expect(Self.value(Self.value(json, "attention", 0), "member") == .null)
        #expect(Self.value(Self.value(json, "storage"), "freeBytes") == .null)
        #expect(Self.value(Self.value(json, "backup"), "lastAt") == .null)
        #expect(try Self.decode(text) == status)
    }

    @Test("no document leaves a member out")
    func everyMember() throws {
        func check(_ document: some Encodable) throws {
            let json: JSONValue = try Self.decode(try Self.encode(document))
            Self.expectEveryMember(of: document, in: json, at: "\(type(of: document))")
        }
        try check(Self.unknownStatus)
        try check(
            RecordsDocument(records: [
                RecordDocument(
                    id: "r", kind: "contact", space: "s", parent: nil, owner: "ESP", version: "v", title: "",
                    shown: true, editedWhileDeleted: false, fields: [:], conflicts: [], createdAt: "c",
                    updatedAt: "u")
            ]))
        try check(
            LogListDocument(changes: [
                LogDocument(
                    dot: "d:1", hash: "h", space: "s", member: "ESP", node: "n", author: "a", at: "t",
                    effective: true,
                    operations: [
                        .init(
                            operation: "act", record: nil, kind: nil, field: nil, value: nil, allowed: true)
                    ])
            ]))
        try check(
            SpacesDocument(spaces: [
                .init(
                    id: "s", name: "n", replica: nil, role: nil, standing: nil, members: 0, changes: 0,
                    records: 0,
                    conflicts: 0, admissionThreshold: 1, suspensionThreshold: 2, founders: [])
            ]))
        try check(
            VerifyDocument(
                changes: 1, records: 1, spaces: [],
                problems: [.init(code: "E-3004", message: "m", space: "s", dot: nil, record: nil)]))
        try check(ErrorDocument(code: "E-1004", message: "m", action: nil))
        try check(TextSamples.text)
        try check(TextSamples.written)
        try check(TextSamples.history)
        try check(TextSamples.difference)
        try check(ProcedureSamples.procedure)
        try check(ProcedureSamples.members)
        try check(ProcedureSamples.endorsements)
        try check(ProcedureSamples.doctor)
    }

    @Test("words for verdicts and states of peers are those of the schema")
    func words() throws {
        let verdicts: [StatusDocument.Verdict] = [.inStep, .degraded, .needsAPerson, .integrityFailure]
        #expect(verdicts.map(\.rawValue) == ["in step", "degraded", "needs a person", "integrity failure"])
        let states: [StatusDocument.Peer.State] = [
            .connected, .connecting, .unreachable, .refused, .silent, .paused,
        ]
        #expect(
            states.map(\.rawValue) == [
                "connected", "connecting", "unreachable", "refused", "silent", "paused",
            ])
    }

    @Test("record, log and error documents come back from JSON")
    func documents() throws {
        let record = RecordDocument(
            id: "r", kind: "contact", space: "s", parent: nil, owner: "ESP", version: "v", title: "Ana",
            shown: true,
            editedWhileDeleted: false, fields: ["name": .string("Ana"), "areas": .array([.string("law")])],
            conflicts: [
                ConflictDocument(
                    field: "name",
                    values: [
                        .init(
                            value: .string("Ana"), member: "ESP", node: "n", author: "a", at: "t", dot: "d:1")
                    ])
            ], createdAt: "c", updatedAt: "u")
        #expect(try Self.decode(try Self.encode(record)) == record)
        let log = LogDocument(
            dot: "d:1", hash: "h", space: "s", member: "ESP", node: "n", author: "a", at: "t",
            effective: true,
            operations: [
                .init(
                    operation: "set", record: "r", kind: "contact", field: "name", value: .string("x"),
                    allowed: true),
                .init(operation: "act", record: nil, kind: nil, field: nil, value: nil, allowed: true),
            ])
        #expect(try Self.decode(try Self.encode(log)) == log)
        #expect(try Self.encode(log).contains("\"record\":null,\"value\":null"))
        let error = ErrorDocument(code: "E-1004", message: "m", action: nil)
        #expect(
            try Self.encode(error) == "{\"error\":{\"action\":null,\"code\":\"E-1004\",\"message\":\"m\"}}")
        #expect(try Self.decode(try Self.encode(error)) == error)
    }

    // MARK: Helpers

    private static func members(_ value: JSONValue?) -> Set<String> {
        guard case .object(let members)? = value else { return [] }
        return Set(members.keys)
    }

    private static func value(_ value: JSONValue?, _ member: String, _ index: Int? = nil) -> JSONValue? {
        guard case .object(let members)? = value, let found = members[member] else { return nil }
        guard let index else { return found }
        guard case .array(let values) = found, values.indices.contains(index) else { return nil }
        return values[index]
    }

    /// Expects that each stored member of `value`, and of what it holds, stands in `json`, nil as null.
    private static func expectEveryMember(of value: Any, in json: JSONValue, at place: String) {
        let mirror = Mirror(reflecting: value)
        switch (mirror.displayStyle, json) {
        case (.struct, .object(let members)):
            for child in mirror.children {
                let name = child.label ?? "?"
                guard let member = members[name] else {
                    Issue.record("\(place) leaves out \(name)")
                    continue
                }
                expectEveryMember(of: child.value, in: member, at: "\(place).\(name)")
            }
        case (.collection, .array(let elements)):
            for (child, element) in zip(mirror.children, elements) {
                expectEveryMember(of: child.value, in: element, at: place + "[]")
            }
        case (.optional, .null): #expect(mirror.children.isEmpty, "\(place)")
        case (.optional, _):
            guard let child = mirror.children.first else {
                Issue.record("\(place) is nil and not null")
                return
            }
            expectEveryMember(of: child.value, in: json, at: place)
        default: break
        }
    }

    /// A status in which everything that can be unknown is.
    private static let unknownStatus: StatusDocument = {
        var status = Self.status
        status.node.uptimeSeconds = nil
        status.spaces[0].replica = nil
        status.spaces[0].heldByAll = nil
        status.peers[0] = StatusDocument.Peer(
            member: nil, memberName: nil, node: nil, address: nil, road: StatusDocument.Road(kind: "none"),
            state: .unreachable, lastHeardAt: nil,
            spaces: [.init(id: "cd", theyLack: nil, weLack: nil, asOf: nil)], roundTripMilliseconds: nil,
            reach: "", bytesReceived: 0, bytesSent: 0, lastError: nil)
        status.attention[0].member = nil
        status.attention[0].action = nil
        status.storage.freeBytes = nil
        status.backup.lastAt = nil
        return status
    }()

    private static let status = StatusDocument(
        at: "2026-11-21T06:44:40.123Z", verdict: .needsAPerson,
        node: .init(
            member: "ESP", memberName: "Spain", name: "madrid-1", id: "ab", version: "0.1.0", protocol: 0,
            uptimeSeconds: 5, certificate: .init(expiresAt: "2029-01-01T00:00:00.000Z", daysLeft: 700),
            listening: ["[::]:7443"]),
        spaces: [
            .init(
                id: "cd", name: "Space", replica: "ef", changes: 3, records: 2, conflicts: 1,
                kinds: ["contact": 2],
                digest: "01", versionVector: ["ef": 3], heldByAll: 2)
        ],
        peers: [
            .init(
                member: "NOR", memberName: "Norway", node: "oslo-1", address: "oslo.example:7443",
                road: .init(kind: "relay", via: "CHE"), state: .connected,
                lastHeardAt: "2026-11-21T06:44:39.000Z",
                spaces: [.init(id: "cd", theyLack: 0, weLack: nil, asOf: nil)], roundTripMilliseconds: 12,
                reach: "########", bytesReceived: 1, bytesSent: 2,
                lastError: .init(code: "E-3015", message: "m", at: "2026-11-20T00:00:00.000Z"))
        ],
        attention: [.init(code: "E-3009", severity: .person, member: "NOR", message: "m", action: "a")],
        storage: .init(databaseBytes: 1, blobBytes: 0, freeBytes: 9),
        backup: .init(lastAt: "2026-11-20T00:00:00.000Z", verified: true))
}
