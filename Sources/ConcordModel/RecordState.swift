// The visible state of one record: what is left when each operation has taken away what it names. It is a pure
// function of the set of operations applied, whatever causal order they came in (rules D1 to D4 of the model), because
// everything is kept in one canonical order and an operation takes away only what its author had seen. Nothing is kept
// of values that were overwritten: in causal order they can never come back.

import ConcordCrypto

/// The merged state of one record.
///
/// Whether a record is shown depends on its descendants' and ancestors' states too; see ``isLive(touchedBelow:)``.
public struct RecordState: Hashable, Sendable {
    /// A value of a register that no other has overwritten.
    public struct RegisterValue: Hashable, Sendable {
        /// The change that wrote it.
        public let dot: Dot
        /// When, by the author's clock.
        public let timestamp: Int64
        /// What was written.
        public let value: Value
    }

    /// A field with one value, or several that were written concurrently.
    public struct Register: Hashable, Sendable {
        /// The field.
        public let field: UTF8Text
        /// The value that is displayed: the first by timestamp, replica and sequence, all descending.
        public internal(set) var shown: RegisterValue
        /// The values behind it, in that order; almost always none, and then nothing is allocated.
        public internal(set) var others: [RegisterValue]

        /// All values, the displayed one first.
        public var values: [RegisterValue] { [shown] + others }
        /// Whether there are several.
        public var isInConflict: Bool { !others.isEmpty }

        init(field: UTF8Text, shown: RegisterValue, others: [RegisterValue] = []) {
            self.field = field
            self.shown = shown
            self.others = others
        }

        /// A register of these values, at least one, in the order of display.
        init(field: UTF8Text, values: [RegisterValue]) {
            self.init(field: field, shown: values[0], others: Array(values.dropFirst()))
        }

        /// Takes out what `replaces` says, and puts a value in.
        mutating func write(_ new: RegisterValue, _ replaces: (RegisterValue) -> Bool) {
            guard isInConflict || !replaces(shown) else {
                shown = new
                return
            }
            var left = values.filter { !replaces($0) }
            let place = left.firstIndex { !$0.isDisplayed(before: new) } ?? left.count
            left.insert(new, at: place)
            self = Register(field: field, values: left)
        }
    }

    /// An element that is in a set.
    public struct SetElement: Hashable, Sendable {
        /// The element.
        public let element: Value
        /// The changes that put it in, ascending, at least one.
        public internal(set) var adds: [Dot]
    }

    /// A field with a set of elements.
    public struct ElementSet: Hashable, Sendable {
        /// The field.
        public let field: UTF8Text
        /// Ascending by element, at least one.
        public internal(set) var elements: [SetElement]
    }

    /// A text that merges, in short; the text itself and its history are the store's.
    public struct Text: Hashable, Sendable {
        /// The field.
        public let field: UTF8Text
        /// SHA-256 of what people see, without what stands for erased passages.
        public let hash: Digest
        /// How many Unicode scalars that is.
        public let scalars: Int

        /// A text in short.
        public init(field: UTF8Text, hash: Digest, scalars: Int) {
            self.field = field
            self.hash = hash
            self.scalars = scalars
        }
    }

    /// A creation. Of one record there is one, unless its author signed two changes of one number, or searched long for
    /// two creations that are given the same id.
    public struct Birth: Hashable, Sendable {
        /// The change that created the record.
        public let dot: Dot
        /// The record's kind.
        public let kind: UTF8Text
        /// The record above it; nil if it stands on its own.
        public let parent: RecordID?
        /// When, by the author's clock.
        public let timestamp: Int64

        /// A creation of these parts.
        public init(dot: Dot, kind: UTF8Text, parent: RecordID?, timestamp: Int64) {
            self.dot = dot
            self.kind = kind
            self.parent = parent
            self.timestamp = timestamp
        }
    }

    /// The record.
    public let id: RecordID
    /// Its creations, ascending by dot, at least one. The first decides kind, parent and owner.
    public internal(set) var births: [Birth]
    /// The registers that were ever written, ascending by field. A cleared one holds ``Value/empty``.
    public internal(set) var registers: [Register]
    /// The sets that have elements, ascending by field.
    public internal(set) var sets: [ElementSet]
    /// The texts that any edit was made of, ascending by field.
    public internal(set) var texts: [Text]
    /// The changes that touched the record itself, not those on its descendants (rule D3).
    public internal(set) var touched: VersionVector
    /// What deletes cover: the union of what each of them saw, as far as it lay in its past.
    public internal(set) var covered: VersionVector
    /// The deletes that no restore has taken back, ascending.
    public internal(set) var openDeletes: [Dot]
    /// The highest timestamp of all operations that had effect.
    public internal(set) var updatedAt: Int64

    /// The record as its `create` in change `dot` makes it.
    public init(id: RecordID, kind: UTF8Text, parent: RecordID?, dot: Dot, timestamp: Int64) {
        self.init(id: id, Birth(dot: dot, kind: kind, parent: parent, timestamp: timestamp))
    }

    /// The record as a creation makes it.
    public init(id: RecordID, _ birth: Birth) {
        let (dot, timestamp) = (birth.dot, birth.timestamp)
        self.id = id
        births = [birth]
        registers = []
        sets = []
        texts = []
        touched = VersionVector()
        touched.raise(dot.replica, to: dot.sequence)
        covered = VersionVector()
        openDeletes = []
        updatedAt = timestamp
    }

    /// The record's kind.
    public var kind: UTF8Text { births[0].kind }
    /// The record above it; nil if it stands on its own.
    public var parent: RecordID? { births[0].parent }
    /// The change that created it.
    public var created: Dot { births[0].dot }
    /// When it was created, by the author's clock.
    public var createdAt: Int64 { births[0].timestamp }

    /// Takes in another creation of the same id; it touches the record, too.
    public mutating func add(_ birth: Birth) {
        let place = births.firstIndex(notBefore: birth.dot, by: \.dot)
        births.insert(birth, at: place)
        touched.raise(birth.dot.replica, to: birth.dot.sequence)
        updatedAt = max(updatedAt, birth.timestamp)
    }

    /// The fields with two or more values, ascending.
    public var conflicts: [UTF8Text] {
        registers.lazy.filter(\.isInConflict).map(\.field)
    }

    /// The register of this field, nil if it was never written. O(log n).
    public func register(_ field: UTF8Text) -> Register? {
        let index = registers.firstIndex(notBefore: field, by: \.field)
        return index < registers.count && registers[index].field == field ? registers[index] : nil
    }

    /// The elements of the set of this field, ascending. O(log n).
    public func elements(_ field: UTF8Text) -> [SetElement] {
        let index = sets.firstIndex(notBefore: field, by: \.field)
        return index < sets.count && sets[index].field == field ? sets[index].elements : []
    }

    /// The text of this field, nil if there was no edit of it. O(log n).
    public func text(_ field: UTF8Text) -> Text? {
        let index = texts.firstIndex(notBefore: field, by: \.field)
        return index < texts.count && texts[index].field == field ? texts[index] : nil
    }

    /// Puts what merging made of a text in the place of what was there.
    public mutating func set(_ text: Text) {
        let index = texts.firstIndex(notBefore: text.field, by: \.field)
        if index < texts.count, texts[index].field == text.field {
            texts[index] = text
        } else {
            texts.insert(text, at: index)
        }
    }

    /// Whether something was done to the record, or to a record below it, that no delete has seen (rule D3).
    ///
    /// - Parameter touchedBelow: the touches of all descendants together.
    public func isLive(touchedBelow: VersionVector = VersionVector()) -> Bool {
        !covered.covers(touched) || !covered.covers(touchedBelow)
    }
}

extension RandomAccessCollection where Index == Int {
    /// The first place in the ascending collection whose key is not below `key`. O(log n).
    func firstIndex<Key: Comparable>(notBefore key: Key, by keyOf: (Element) -> Key) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if keyOf(self[middle]) < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
