// The stored form of a change: deterministic CBOR of its own parts, dependencies as dots. It is what the log keeps
// and what frames carry; the canonical form that is hashed and signed (Change+Hash.swift) is a function of it and of
// the change's place. A change whose values were erased has another stored form with the same hash
// (Change+Erasure.swift). Grammar: Protocol/concord.cddl, rule `change`.

import CBOR
import ConcordCrypto
import ConcordText

extension Change {
    /// The stored form.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter(capacity: 256)
        writer.array(5)
        writer.unsigned(UInt64(timestamp))
        writer.dependencies(dependencies)
        salts.write(to: &writer)
        writer.text(authorLabel.string)
        writer.array(entries.count)
        for entry in entries {
            writer.array(2)
            entry.writeHeader(to: &writer)
            entry.writeValues(to: &writer)
        }
        return writer.bytes
    }

    /// Decodes the stored form.
    ///
    /// - Throws: ``ConcordError`` E-3001 if the bytes are not canonical, E-3002 if a limit is passed.
    public init(encoded bytes: [UInt8]) throws {
        func check(_ count: Int, _ maximum: Int) throws {
            guard count > maximum else { return }
            throw ConcordError(.limitExceeded, "a change has \(count) bytes, \(maximum) are allowed")
        }
        try check(bytes.count, Limits.changeBytes + Limits.erasedPartsBytes)
        do {
            var reader = CBORReader(bytes)
            try self.init(from: &reader)
            try reader.expectEnd()
            try check(countedBytes(bytes.count), Limits.changeBytes)
        } catch let error as CBORError {
            let code: ErrorCode = error.reason == .tooLarge ? .limitExceeded : .malformedChange
            throw ConcordError(code, "a change cannot be read: \(error)")
        }
    }

    init(from reader: inout CBORReader) throws {
        try reader.array(count: 5)
        timestamp = Int64(try reader.unsigned(upTo: Int(Limits.timestamp)))
        dependencies = try reader.dependencies(upTo: Limits.dependencies)
        let salts = try Salts(from: &reader)
        self.salts = salts
        authorLabel = UTF8Text(try reader.text(upTo: Limits.authorLabelBytes))
        let count = try reader.array(upTo: Limits.changeOperations)
        entries = []
        entries.reserveCapacity(count)
        for _ in 0..<count {
            try reader.array(count: 2)
            entries.append(try Entry(from: &reader, mayBeErased: salts.isParts))
        }
        try checkForm()
    }
}

extension Entry {
    /// The part of the entry that is never erased: record, operations, fields, lengths, named dots.
    func writeHeader(to writer: inout CBORWriter) {
        writer.array(2)
        writer.byteString(record?.bytes ?? [])
        writer.array(operations.count)
        for operation in operations { operation.writeHeader(to: &writer) }
    }

    /// The values of the operations, one item each, an empty array where there is none; an empty byte string for all of
    /// them if they were erased.
    func writeValues(to writer: inout CBORWriter) {
        if isErased {
            writer.byteString([])
            return
        }
        writer.array(operations.count)
        for operation in operations { operation.writeValue(to: &writer) }
    }

    init(from reader: inout CBORReader, mayBeErased: Bool) throws {
        try reader.array(count: 2)
        let recordBytes = try reader.byteString(upTo: 16)
        guard recordBytes.isEmpty || recordBytes.count == 16 else {
            throw ConcordError(.malformedChange, "a record id has \(recordBytes.count) bytes instead of 16")
        }
        record = RecordID(bytes: recordBytes)
        let count = try reader.array(upTo: Limits.changeOperations)
        var headers: [OperationHeader] = []
        headers.reserveCapacity(count)
        for _ in 0..<count { headers.append(try OperationHeader(from: &reader)) }
        if mayBeErased, try reader.nextType() == .bytes {
            _ = try reader.byteString(count: 0)
            operations = headers.map(\.erased)
            guard record != nil, isErased else {
                throw ConcordError(.malformedChange, "an entry is erased that has no values")
            }
            return
        }
        try reader.array(count: count)
        operations = try headers.map { try $0.operation(value: &reader) }
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
            head(3)
            writer.text(kind.string)
            writer.byteString(parent?.bytes ?? [])
        case .set(let field, _, let replacing), .add(let field, _, let replacing),
            .remove(let field, _, let replacing):
            head(3)
            writer.text(field.string)
            writer.dots(replacing)
        case .edit(let field, let parents, let runs, _):
            head(4)
            writer.text(field.string)
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
        default: writer.array(0)
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
        let start = reader
        let count = try reader.array(upTo: Limits.changeOperations)
        guard count > 0 else { throw ConcordError(.malformedChange, "an operation is empty") }
        let code = try reader.unsigned()
        func expect(_ expected: Int) throws {
            guard count == expected else {
                throw ConcordError(
                    .malformedChange, "operation \(code) has \(count) parts instead of \(expected)")
            }
        }
        func name() throws -> UTF8Text { UTF8Text(try reader.text(upTo: Limits.nameBytes)) }
        func dots() throws -> [Dot] { try reader.dots(upTo: Limits.namedDots) }
        switch code {
        case 0:
            try expect(3)
            self = .complete(.create(kind: try name(), parent: try reader.optionalRecord()))
        case 1:
            try expect(3)
            self = .set(try name(), try dots())
        case 2:
            try expect(3)
            self = .add(try name(), try dots())
        case 3:
            try expect(3)
            self = .remove(try name(), try dots())
        case 4:
            try expect(4)
            self = .edit(try name(), try dots(), try reader.textRuns())
        case 5:
            try expect(2)
            let dots = try reader.dots(upTo: Limits.versionVectorEntries)
            let seen = VersionVector(dots)
            guard seen.elements.count == dots.count else {
                throw ConcordError(.malformedChange, "a version vector names a replica twice")
            }
            self = .complete(.delete(seen: seen))
        case 6:
            try expect(2)
            self = .complete(.restore(deletes: try dots()))
        case 7:
            try expect(4)
            self = .complete(.act(try reader.signedAct()))
        case 8:
            try expect(5)
            self = .complete(.bind(try reader.binding()))
        case 9:
            try expect(3)
            let erased = try dots()
            let reason = UTF8Text(try reader.text(upTo: Limits.reasonBytes))
            self = .complete(.erase(changes: erased, reason: reason))
        default:
            reader = start
            self = .unknown(try reader.encoded())
        }
    }

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
        case .complete(let operation):
            try reader.array(count: 0)
            return operation
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
