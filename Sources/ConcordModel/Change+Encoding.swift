// The stored form of a change: deterministic CBOR of its own parts, dependencies as dots. It is what the log keeps
// and what frames carry; the canonical form that is hashed and signed (Change+Hash.swift) is a function of it and of
// the change's place. A change whose values were erased has another stored form with the same hash
// (Change+Erasure.swift). Grammar: Protocol/concord.cddl, rule `change`.

import CBOR
import ConcordCrypto
import ConcordText

/// Where the parts of a stored change lie that are hashed as they stand.
struct ChangeLayout {
    var author = 0..<0
    /// For each entry: record and operations, then the values.
    var entries: [(header: Range<Int>, values: Range<Int>)] = []
}

extension Change {
    /// The stored form.
    public func encoded() -> [UInt8] { encodedWithLayout().bytes }

    func encodedWithLayout() -> (bytes: [UInt8], layout: ChangeLayout) {
        var layout = ChangeLayout()
        layout.entries.reserveCapacity(entries.count)
        var writer = CBORWriter(capacity: 512)
        writer.array(5)
        writer.clock(timestamp)
        writer.dependencies(dependencies)
        salts.write(to: &writer)
        let start = writer.bytes.count
        writer.text(authorLabel.string)
        layout.author = start..<writer.bytes.count
        writer.array(entries.count)
        for (index, entry) in entries.enumerated() {
            writer.array(3)
            let header = writer.bytes.count
            entry.writeHeader(createdAs: RecordID.prefix(timestamp: timestamp, index: index), to: &writer)
            let values = writer.bytes.count
            entry.writeValues(to: &writer)
            layout.entries.append((header..<values, values..<writer.bytes.count))
        }
        return (writer.bytes, layout)
    }

    /// Decodes the stored form.
    ///
    /// - Throws: ``ConcordError`` E-3001 if the bytes are not canonical, E-3002 if a limit is passed.
    public init(encoded bytes: [UInt8]) throws {
        var layout = ChangeLayout()
        try self.init(encoded: bytes, layout: &layout)
    }

    init(encoded bytes: [UInt8], layout: inout ChangeLayout) throws {
        func check(_ count: Int, _ maximum: Int) throws {
            guard count > maximum else { return }
            throw ConcordError(.limitExceeded, "a change has \(count) bytes, \(maximum) are allowed")
        }
        try check(bytes.count, Limits.changeBytes + Limits.erasedPartsBytes)
        do {
            var reader = CBORReader(bytes)
            try self.init(from: &reader, layout: &layout)
            try reader.expectEnd()
            try check(countedBytes(bytes.count), Limits.changeBytes)
        } catch let error as CBORError {
            let code: ErrorCode = error.reason == .tooLarge ? .limitExceeded : .malformedChange
            throw ConcordError(code, "a change cannot be read: \(error)")
        }
    }

    private init(from reader: inout CBORReader, layout: inout ChangeLayout) throws {
        try reader.array(count: 5)
        timestamp = try reader.clock()
        dependencies = try reader.dependencies(upTo: Limits.dependencies)
        let salts = try Salts(from: &reader)
        self.salts = salts
        let start = reader.position
        authorLabel = UTF8Text(try reader.text(upTo: Limits.authorLabelBytes))
        layout.author = start..<reader.position
        let count = try reader.array(upTo: Limits.changeOperations)
        entries = []
        entries.reserveCapacity(count)
        layout.entries.reserveCapacity(count)
        for index in 0..<count {
            try reader.array(count: 3)
            let entry = try Entry(
                from: &reader, createdAs: RecordID.prefix(timestamp: timestamp, index: index),
                mayBeErased: salts.isParts, layout: &layout)
            entries.append(entry)
        }
        try checkForm()
    }
}

extension Entry {
    /// The part of the entry that is never erased: record, operations, fields, lengths, named dots. Of a record that the
    /// entry creates only the second half of the id stands there: the first follows from the change's timestamp and the
    /// place of the entry.
    func writeHeader(createdAs prefix: UInt64, to writer: inout CBORWriter) {
        if let record {
            if creates, record.value.high == prefix {
                writer.byteString(word: record.value.low)
            } else {
                writer.byteString(high: record.value.high, low: record.value.low)
            }
        } else {
            writer.byteString([])
        }
        writer.array(operations.count)
        for operation in operations { operation.writeHeader(to: &writer) }
    }

    /// The values of the operations that have one, an item each; an empty byte string for all of them if they were
    /// erased.
    func writeValues(to writer: inout CBORWriter) {
        if isErased {
            writer.byteString([])
            return
        }
        writer.array(operations.reduce(0) { $0 + ($1.hasNoValueEver ? 0 : 1) })
        for operation in operations { operation.writeValue(to: &writer) }
    }

    fileprivate init(
        from reader: inout CBORReader, createdAs prefix: UInt64, mayBeErased: Bool,
        layout: inout ChangeLayout
    ) throws {
        let start = reader.position
        let id = try reader.recordOrTail(prefix: prefix)
        record = id.record
        let count = try reader.array(upTo: Limits.changeOperations)
        var headers: [OperationHeader] = []
        headers.reserveCapacity(count)
        for _ in 0..<count { headers.append(try OperationHeader(from: &reader)) }
        let values = reader.position
        if mayBeErased, try reader.nextType() == .bytes {
            _ = try reader.byteString(count: 0)
            operations = headers.map(\.erased)
            guard record != nil, isErased else {
                throw ConcordError(.malformedChange, "an entry is erased that has no values")
            }
        } else {
            try reader.array(count: headers.reduce(0) { $0 + ($1.hasValue ? 1 : 0) })
            var operations: [Operation] = []
            operations.reserveCapacity(count)
            for header in headers { operations.append(try header.operation(value: &reader)) }
            self.operations = operations
        }
        guard record == nil || id.isTail == (creates && record?.value.high == prefix) else {
            throw ConcordError(.malformedChange, "the id of a record is not in its one form")
        }
        layout.entries.append((start..<values, values..<reader.position))
    }

    /// Whether the entry begins with a creation.
    public var creates: Bool { if case .create = operations.first { true } else { false } }
}

extension CBORReader {
    /// Reads the id of a record, none, or its second half after this first.
    fileprivate mutating func recordOrTail(prefix: UInt64) throws -> (record: RecordID?, isTail: Bool) {
        switch try lengthOfNext() {
        case 16:
            let words = try twoWords()
            return (RecordID(Bytes16(high: words.high, low: words.low)), false)
        case 8: return (RecordID(Bytes16(high: prefix, low: try word())), true)
        case 0:
            _ = try byteString(count: 0)
            return (nil, false)
        case let length:
            throw ConcordError(.malformedChange, "a record id has \(length) bytes instead of 16")
        }
    }
}

extension Operation {
    fileprivate func writeHeader(to writer: inout CBORWriter) {
        func head(_ count: Int) {
            writer.array(count)
            if let code { writer.unsigned(code) }
        }
        switch self {
        case .create(let kind, let parent):
            head(parent == nil ? 2 : 3)
            writer.name(kind)
            if let parent { writer.byteString(high: parent.value.high, low: parent.value.low) }
        case .set(let field, _, let replacing) where replacing.isEmpty:
            writer.name(field)
        case .set(let field, _, let replacing), .add(let field, _, let replacing),
            .remove(let field, _, let replacing):
            head(replacing.isEmpty ? 2 : 3)
            writer.name(field)
            if !replacing.isEmpty { writer.dots(replacing) }
        case .edit(let field, let parents, let runs, _):
            head(4)
            writer.name(field)
            writer.dots(parents)
            writer.array(runs.count)
            for run in runs {
                writer.array(3)
                writer.unsigned(run.position)
                writer.unsigned(run.deleted)
                writer.unsigned(run.inserted)
            }
        case .delete(let seen):
            head(2)
            writer.dots(seen.dots)
        case .restore(let dots):
            head(2)
            writer.dots(dots)
        case .erase(let dots, let reason):
            head(3)
            writer.dots(dots)
            writer.text(reason.string)
        case .act(let signed):
            head(4)
            writer.byteString(signed.act)
            writer.byteString(signed.signer.digest.bytes)
            writer.byteString(signed.signature.bytes)
        case .bind(let binding):
            head(5)
            writer.byteString(binding.certificate)
            writer.digest(binding.member.digest)
            writer.byteString(binding.issuer == binding.member.digest ? [] : binding.issuer.bytes)
            writer.byteString(binding.nonce.bytes)
        case .unknown(let header, _):
            writer.encoded(header)
        }
    }

    fileprivate func writeValue(to writer: inout CBORWriter) {
        switch self {
        case .set(_, let value, _), .add(_, let value, _), .remove(_, let value, _): writer.value(value)
        case .edit(_, _, _, let inserted):
            guard let inserted else { preconditionFailure("An erased text stands in an erased entry.") }
            writer.text(inserted.string)
        case .unknown(_, let value): writer.encoded(value)
        case .create, .delete, .restore, .act, .bind, .erase: break
        }
    }
}

/// An operation without its value, which stands apart in the encoding so that it can be erased.
private enum OperationHeader {
    case complete(Operation)
    case set(UTF8Text, [Dot])
    case add(UTF8Text, [Dot])
    case remove(UTF8Text, [Dot])
    case edit(UTF8Text, [Dot], [TextRun])
    case unknown([UInt8])

    init(from reader: inout CBORReader) throws {
        guard try reader.nextType() == .array else {
            self = .set(try reader.name(), [])
            return
        }
        let start = reader
        let count = try reader.array(upTo: Limits.changeOperations)
        guard count > 0 else { throw ConcordError(.malformedChange, "an operation is empty") }
        let code = try reader.unsigned()
        func expect(_ expected: ClosedRange<Int>) throws {
            guard expected.contains(count) else {
                throw ConcordError(
                    .malformedChange,
                    "operation \(code) has \(count) parts instead of \(expected.upperBound)")
            }
        }
        func dots() throws -> [Dot] { try reader.dots(upTo: Limits.namedDots) }
        /// The dots of an operation of three parts; none, if it has two.
        func replaced(_ counts: ClosedRange<Int>) throws -> (UTF8Text, [Dot]) {
            try expect(counts)
            let field = try reader.name()
            guard count == 3 else { return (field, []) }
            let named = try dots()
            guard !named.isEmpty else {
                throw ConcordError(
                    .malformedChange, "operation \(code) names nothing and is not in its one form")
            }
            return (field, named)
        }
        switch code {
        case 0:
            try expect(2...3)
            self = .complete(
                .create(kind: try reader.name(), parent: count == 2 ? nil : try reader.parentRecord()))
        case 1:
            let (field, named) = try replaced(3...3)
            self = .set(field, named)
        case 2:
            let (field, named) = try replaced(2...3)
            self = .add(field, named)
        case 3:
            let (field, named) = try replaced(2...3)
            self = .remove(field, named)
        case 4:
            try expect(4...4)
            self = .edit(try reader.name(), try dots(), try reader.textRuns())
        case 5:
            try expect(2...2)
            let dots = try reader.dots(upTo: Limits.versionVectorEntries)
            let seen = VersionVector(dots)
            guard seen.elements.count == dots.count else {
                throw ConcordError(.malformedChange, "a version vector names a replica twice")
            }
            self = .complete(.delete(seen: seen))
        case 6:
            try expect(2...2)
            self = .complete(.restore(deletes: try dots()))
        case 7:
            try expect(4...4)
            self = .complete(.act(try reader.signedAct()))
        case 8:
            try expect(5...5)
            self = .complete(.bind(try reader.binding()))
        case 9:
            try expect(3...3)
            let erased = try dots()
            let reason = UTF8Text(try reader.text(upTo: Limits.reasonBytes))
            self = .complete(.erase(changes: erased, reason: reason))
        default:
            reader = start
            self = .unknown(try reader.encoded())
        }
    }

    /// Whether an item among the values belongs to the operation.
    var hasValue: Bool { if case .complete = self { false } else { true } }

    /// The operation when its value is gone.
    var erased: Operation {
        switch self {
        case .complete(let operation): operation
        case .set(let field, let dots): .set(field: field, value: .erased, replacing: dots)
        case .add(let field, let dots): .add(field: field, element: .erased, replacing: dots)
        case .remove(let field, let dots): .remove(field: field, element: .erased, replacing: dots)
        case .edit(let field, let parents, let runs):
            .edit(field: field, parents: parents, runs: runs, inserted: nil)
        case .unknown(let header): .unknown(header: header, value: [])
        }
    }

    func operation(value reader: inout CBORReader) throws -> Operation {
        switch self {
        case .complete(let operation): return operation
        case .set(let field, let dots): return .set(field: field, value: try reader.value(), replacing: dots)
        case .add(let field, let dots):
            return .add(field: field, element: try reader.value(), replacing: dots)
        case .remove(let field, let dots):
            return .remove(field: field, element: try reader.value(), replacing: dots)
        case .edit(let field, let parents, let runs):
            let text = UTF8Text(try reader.text(upTo: Limits.changeBytes))
            return .edit(field: field, parents: parents, runs: runs, inserted: text)
        case .unknown(let header): return .unknown(header: header, value: try reader.encoded())
        }
    }
}
