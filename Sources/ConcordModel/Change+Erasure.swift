// The erased form of a change (Protocol/changes.md, "Erasure"): the values of some entries are gone, their hashes are
// there in their stead, and the change has the hash that it always had. So the chain still verifies, and from what is
// left the values cannot be guessed: the seed, from which their salts came, is gone as well.

import CBOR
import ConcordCrypto

extension Change {
    /// Whether values of this change are erased.
    public var isErased: Bool { salts.isParts }

    /// Whether the values of entry number `entry` are erased.
    public func isErased(_ entry: Int) -> Bool { entries[entry].isErased }

    /// The change without the values of these entries, and without what would let them be guessed.
    ///
    /// An entry that has no record or no values, or is erased already, stays as it is. A change of which nothing is
    /// erased comes back unchanged.
    public func erasing(entries erased: Set<Int>) -> Change {
        let gone = entries.indices.filter { erased.contains($0) && entries[$0].isErasable }
        guard !gone.isEmpty else { return self }
        let (stored, layout) = encodedWithLayout()
        var parts = [salt(0)]
        for index in entries.indices {
            let keeps = !gone.contains(index) && !entries[index].isErased
            parts.append(keeps ? salt(index + 1) : valuesDigest(index, stored, layout))
        }
        var left = entries
        for index in gone { left[index] = entries[index].erased }
        return Change(
            timestamp: timestamp, dependencies: dependencies, salts: .parts(parts), authorLabel: authorLabel,
            entries: left)
    }

    /// How many of the bytes of its stored form count towards the limits: the hashes that came in the place of the seed
    /// do not, so that a change never passes a limit because something of it was erased.
    ///
    /// - Parameter stored: the bytes of the stored form.
    public func countedBytes(_ stored: Int) -> Int {
        guard case .parts(let parts) = salts else { return stored }
        let head = parts.count < 24 ? 1 : parts.count < 256 ? 2 : 3
        return stored - head - 34 * parts.count + 17
    }

    /// Checks that salts and entries belong to one form: nothing is erased in the full form, something in the other.
    func checkForm() throws {
        guard case .parts(let parts) = salts else {
            guard entries.allSatisfy({ !$0.isErased }) else { throw Self.malformed("a value is missing") }
            return
        }
        guard parts.count == entries.count + 1 else {
            throw Self.malformed("an erased change has \(parts.count) hashes for \(entries.count) entries")
        }
        guard entries.contains(where: \.isErased) else {
            throw Self.malformed("nothing of an erased change is erased")
        }
        guard entries.allSatisfy({ !$0.isErased || $0.isErasedWhole }) else {
            throw Self.malformed("an entry is erased in part")
        }
    }

    private static func malformed(_ message: String) -> ConcordError {
        ConcordError(.malformedChange, message)
    }
}

extension Change.Salts {
    var isParts: Bool { if case .parts = self { true } else { false } }

    func write(to writer: inout CBORWriter) {
        switch self {
        case .seed(let seed): writer.byteString(seed.bytes)
        case .parts(let parts):
            writer.array(parts.count)
            for part in parts { writer.digest(part) }
        }
    }

    init(from reader: inout CBORReader) throws {
        guard try reader.nextType() == .array else {
            let words = try reader.twoWords()
            self = .seed(Bytes16(high: words.high, low: words.low))
            return
        }
        let count = try reader.array(upTo: Limits.changeOperations + 1)
        var parts: [Digest] = []
        parts.reserveCapacity(count)
        for _ in 0..<count { parts.append(try reader.digest()) }
        self = .parts(parts)
    }
}

extension Entry {
    /// Whether the values are erased.
    public var isErased: Bool { operations.contains(where: \.isErased) }

    /// Whether there are values that can be erased: only what stands on a record has such.
    public var isErasable: Bool { record != nil && !isErased && operations.contains(where: \.hasValue) }

    /// Whether no value is left.
    fileprivate var isErasedWhole: Bool {
        record != nil && operations.allSatisfy { $0.isErased || $0.hasNoValueEver }
    }

    /// The entry without its values.
    fileprivate var erased: Entry { Entry(record: record, operations: operations.map(\.erased)) }
}

extension Operation {
    /// Whether the operation's value is erased.
    public var isErased: Bool {
        switch self {
        case .set(_, .erased, _), .add(_, .erased, _), .remove(_, .erased, _), .edit(_, _, _, nil): true
        case .unknown(_, let value): value.isEmpty
        default: false
        }
    }

    /// Whether there is a value that can be erased. The empty array is none.
    fileprivate var hasValue: Bool {
        switch self {
        case .set, .add, .remove, .edit: !isErased
        case .unknown(_, let value): !value.isEmpty && value != [0x80]
        default: false
        }
    }

    /// Whether operations of this kind have no value.
    var hasNoValueEver: Bool {
        switch self {
        case .set, .add, .remove, .edit, .unknown: false
        default: true
        }
    }

    /// The operation without its value.
    fileprivate var erased: Operation {
        switch self {
        case .set(let field, _, let replacing): .set(field: field, value: .erased, replacing: replacing)
        case .add(let field, _, let replacing): .add(field: field, element: .erased, replacing: replacing)
        case .remove(let field, _, let replacing):
            .remove(field: field, element: .erased, replacing: replacing)
        case .edit(let field, let parents, let runs, _):
            .edit(field: field, parents: parents, runs: runs, inserted: nil)
        case .unknown(let header, _): .unknown(header: header, value: [])
        default: self
        }
    }
}
