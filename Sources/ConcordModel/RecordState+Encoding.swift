// How a store keeps a record's state between two changes of it: compact, because there is one per record. The values
// that are displayed stand beside it as JSON (RecordDisplay.swift) and are not repeated; replica ids stand once, in a
// table, and dots refer to it; timestamps are written as the distance to the latest. Equal states have equal bytes. This
// form is local: it is never sent, and a later level may choose another number in front.

import CBOR

extension RecordState {
    private static let form: UInt64 = 4
    private static let parts = 10

    /// What ``init(stored:json:id:)`` needs besides the displayed values.
    public func stored(beside display: RecordDisplay) -> [UInt8] {
        var table = touched
        table.merge(covered)
        for dot in openDeletes { table.raise(dot.replica, to: 1) }
        var writer = CBORWriter(capacity: 256)
        writer.array(Self.parts)
        writer.unsigned(Self.form)
        writer.array(table.elements.count)
        for element in table.elements {
            writer.byteString(high: element.replica.value.high, low: element.replica.value.low)
        }
        writer.array(births.count * 5)
        for birth in births {
            writer.reference(birth.dot, table)
            writer.name(birth.kind)
            if let parent = birth.parent { writer.record(parent) } else { writer.byteString([]) }
            writer.unsigned(UInt64(birth.timestamp))
        }
        writer.unsigned(UInt64(updatedAt))
        writer.references(touched.elements, table)
        writer.references(covered.elements, table)
        writer.array(openDeletes.count * 2)
        for dot in openDeletes { writer.reference(dot, table) }
        writeRegisters(table, isText: Vocabulary.kind(kind)?.isText ?? { _ in false }, to: &writer)
        writer.array(sets.count * 2)
        for set in sets { Self.write(set, table, to: &writer) }
        writer.array(texts.count * 3)
        for text in texts {
            writer.name(text.field)
            writer.digest(text.hash)
            writer.unsigned(UInt64(text.scalars))
        }
        return writer.bytes
    }

    /// Registers in groups: `[count, replica, sequence, age]` for so many that one change wrote and the JSON tells;
    /// `[field, [value…]]` for any other.
    private func writeRegisters(
        _ table: VersionVector, isText: (UTF8Text) -> Bool, to writer: inout CBORWriter
    ) {
        var groups: [Range<Int>] = []
        for index in registers.indices {
            if let last = groups.last, registers[index].isTold, registers[last.lowerBound].isTold,
                registers[index].shown.isFromSameChange(as: registers[last.lowerBound].shown),
                !isText(registers[index].field)
            {
                groups[groups.count - 1] = last.lowerBound..<index + 1
            } else {
                groups.append(index..<index + 1)
            }
        }
        writer.array(groups.count)
        for group in groups {
            let register = registers[group.lowerBound]
            if register.isTold, !isText(register.field) {
                writer.array(4)
                writer.unsigned(UInt64(group.count))
                writer.reference(register.shown.dot, table)
                writer.unsigned(UInt64(updatedAt - register.shown.timestamp))
            } else {
                writer.array(2)
                write(register, table, to: &writer)
            }
        }
    }

    private func write(_ register: Register, _ table: VersionVector, to writer: inout CBORWriter) {
        writer.name(register.field)
        writer.array((1 + register.others.count) * 4)
        for value in register.values {
            writer.reference(value.dot, table)
            writer.unsigned(UInt64(updatedAt - value.timestamp))
            writer.value(value.value)
        }
    }

    private static func write(_ set: ElementSet, _ table: VersionVector, to writer: inout CBORWriter) {
        writer.name(set.field)
        writer.array(set.elements.count * 2)
        for element in set.elements {
            writer.value(element.element)
            writer.array(element.adds.count * 2)
            for dot in element.adds { writer.reference(dot, table) }
        }
    }

    /// Reads what ``stored(beside:)`` wrote.
    ///
    /// - Parameter json: the displayed values, ``RecordDisplay/json``.
    /// - Throws: ``ConcordError`` E-5003 if the two are not of that form or do not fit together.
    public init(stored bytes: [UInt8], json: [UInt8], id: RecordID) throws {
        do {
            var reader = StateReader(bytes)
            try self.init(from: &reader, DisplayedValues(json), id)
        } catch {
            throw ConcordError(.corruptDatabase, "the stored state of a record cannot be read: \(error)")
        }
    }

    private init(from reader: inout StateReader, _ displayed: consuming DisplayedValues, _ id: RecordID)
        throws
    {
        try reader.cbor.array(count: Self.parts)
        guard try reader.cbor.unsigned() == Self.form else { throw StateError.form }
        self.id = id
        try reader.readTable()
        let births = try reader.births()
        self.births = births
        let latest = Int64(try reader.cbor.unsigned(upTo: Int(Limits.timestamp)))
        updatedAt = latest
        let touched = VersionVector(try reader.dots())
        guard births.allSatisfy({ touched.contains($0.dot) }) else { throw StateError.untouched }
        self.touched = touched
        covered = VersionVector(try reader.dots())
        openDeletes = try reader.dots()
        registers = try reader.registers(displayed, latest: latest, touched: touched)
        sets = try reader.pairs(by: \.field) { reader, field in
            let count = try reader.count(of: 2)
            var elements: [SetElement] = []
            elements.reserveCapacity(count)
            for _ in 0..<count {
                let element = try reader.cbor.value()
                if let last = elements.last, !(last.element < element) { throw StateError.order }
                let adds = try reader.dots()
                guard !adds.isEmpty else { throw StateError.empty }
                guard adds.allSatisfy(touched.contains) else { throw StateError.untouched }
                elements.append(SetElement(element: element, adds: adds))
            }
            return ElementSet(field: field, elements: elements)
        }
        texts = try reader.texts()
        try reader.cbor.expectEnd()
    }
}

enum StateError: String, Error, CustomStringConvertible {
    case form = "it has another form"
    case order = "its parts are not in order"
    case empty = "a part is empty"
    case replica = "a replica is not in its table"
    case untouched = "a change in it has not touched it"
    case display = "what is displayed of it does not belong to it"

    var description: String { rawValue }
}

/// Reads the parts of a stored state.
private struct StateReader {
    var cbor: CBORReader
    private let byteCount: Int
    private var table: [ReplicaID] = []

    init(_ bytes: [UInt8]) {
        cbor = CBORReader(bytes)
        byteCount = bytes.count
    }

    mutating func readTable() throws {
        let count = try cbor.array(upTo: byteCount)
        table.reserveCapacity(count)
        for _ in 0..<count {
            let words = try cbor.twoWords()
            let replica = ReplicaID(Bytes16(high: words.high, low: words.low))
            if let last = table.last, last >= replica { throw StateError.order }
            table.append(replica)
        }
    }

    mutating func record() throws -> RecordID {
        let words = try cbor.twoWords()
        return RecordID(Bytes16(high: words.high, low: words.low))
    }

    mutating func optionalRecord() throws -> RecordID? { try cbor.optionalRecord() }

    mutating func name() throws -> UTF8Text { try cbor.name() }

    /// The registers, ascending by field; the values of most stand in the JSON.
    mutating func registers(
        _ displayed: consuming DisplayedValues, latest: Int64, touched: VersionVector
    ) throws -> [RecordState.Register] {
        var displayed = displayed
        let groups = try cbor.array(upTo: byteCount)
        var registers: [RecordState.Register] = []
        registers.reserveCapacity(max(groups, 8))
        func add(_ register: RecordState.Register) throws {
            if let last = registers.last, last.field >= register.field { throw StateError.order }
            registers.append(register)
        }
        func mark(_ reader: inout StateReader) throws -> (dot: Dot, timestamp: Int64) {
            let dot = try reader.dot()
            guard touched.contains(dot) else { throw StateError.untouched }
            return (dot, latest - Int64(try reader.cbor.unsigned(upTo: Int(latest))))
        }
        for _ in 0..<groups {
            if try cbor.array(upTo: 4) == 4 {
                let count = try cbor.unsigned(upTo: Limits.changeBytes)
                guard count > 0 else { throw StateError.empty }
                let (dot, timestamp) = try mark(&self)
                for _ in 0..<count {
                    let (field, value) = try displayed.next()
                    try add(
                        RecordState.Register(
                            field: field,
                            shown: RecordState.RegisterValue(dot: dot, timestamp: timestamp, value: value)))
                }
                continue
            }
            let field = try name()
            let count = try count(of: 4)
            var values: [RecordState.RegisterValue] = []
            values.reserveCapacity(count)
            for _ in 0..<count {
                let (dot, timestamp) = try mark(&self)
                let value = RecordState.RegisterValue(dot: dot, timestamp: timestamp, value: try self.value())
                if let last = values.last, !last.isDisplayed(before: value) { throw StateError.order }
                values.append(value)
            }
            try displayed.skip(field)
            try add(RecordState.Register(field: field, values: values))
        }
        return registers
    }

    /// The creations, ascending by dot.
    mutating func births() throws -> [RecordState.Birth] {
        var births: [RecordState.Birth] = []
        for _ in 0..<(try count(of: 5)) {
            let dot = try dot()
            if let last = births.last, last.dot >= dot { throw StateError.order }
            births.append(
                RecordState.Birth(
                    dot: dot, kind: try name(), parent: try optionalRecord(),
                    timestamp: Int64(try cbor.unsigned(upTo: Int(Limits.timestamp)))))
        }
        return births
    }

    /// The texts, ascending by field.
    mutating func texts() throws -> [RecordState.Text] {
        let count = try cbor.array(upTo: byteCount)
        guard count % 3 == 0 else { throw StateError.empty }
        var texts: [RecordState.Text] = []
        for _ in 0..<count / 3 {
            let field = try name()
            if let last = texts.last, last.field >= field { throw StateError.order }
            texts.append(
                RecordState.Text(
                    field: field, hash: try cbor.digest(), scalars: try cbor.unsigned(upTo: Int.max)))
        }
        return texts
    }

    /// The value of a register, which may be erased.
    mutating func value() throws -> Value {
        guard try cbor.nextType() == .array else { return try cbor.value() }
        try cbor.array(count: 0)
        return .erased
    }

    /// The number of groups of `size` items in the next array.
    mutating func count(of size: Int) throws -> Int {
        let count = try cbor.array(upTo: byteCount)
        guard count > 0, count % size == 0 else { throw StateError.empty }
        return count / size
    }

    mutating func dot() throws -> Dot {
        let index = try cbor.unsigned(upTo: byteCount)
        guard index < table.count else { throw StateError.replica }
        let sequence = try cbor.unsigned()
        guard sequence > 0 else { throw StateError.empty }
        return Dot(table[index], sequence)
    }

    mutating func dots() throws -> [Dot] {
        let count = try cbor.array(upTo: byteCount)
        guard count % 2 == 0 else { throw StateError.empty }
        var dots: [Dot] = []
        dots.reserveCapacity(count / 2)
        for _ in 0..<count / 2 {
            let dot = try dot()
            if let last = dots.last, last >= dot { throw StateError.order }
            dots.append(dot)
        }
        return dots
    }

    /// An array of fields, each followed by what `read` reads, ascending.
    mutating func pairs<Part>(
        by field: KeyPath<Part, UTF8Text>, _ read: (inout StateReader, UTF8Text) throws -> Part
    ) throws -> [Part] {
        let count = try cbor.array(upTo: byteCount)
        guard count % 2 == 0 else { throw StateError.empty }
        var parts: [Part] = []
        parts.reserveCapacity(count / 2)
        for _ in 0..<count / 2 {
            let name = try name()
            if let last = parts.last, last[keyPath: field] >= name { throw StateError.order }
            parts.append(try read(&self, name))
        }
        return parts
    }
}

extension CBORWriter {
    /// Writes a dot as two items: the place of its replica in the table, and its sequence.
    fileprivate mutating func reference(_ dot: Dot, _ table: VersionVector) {
        let index = table.elements.firstIndex(notBefore: dot.replica, by: \.replica)
        unsigned(UInt64(index))
        unsigned(dot.sequence)
    }

    fileprivate mutating func references(_ elements: [VersionVector.Element], _ table: VersionVector) {
        array(elements.count * 2)
        for element in elements { reference(Dot(element.replica, element.sequence), table) }
    }
}
