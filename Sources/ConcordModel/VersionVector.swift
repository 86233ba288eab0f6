// What is known of every replica: the highest sequence, all before it included. Kept as one sorted array, so that
// iteration, encoding and hashing have one order on every machine.

/// A map from replica to the highest sequence known, all before it included. Absent replicas stand at 0.
public struct VersionVector: Hashable, Sendable {
    /// One replica and its highest sequence.
    public struct Element: Hashable, Sendable {
        /// The replica.
        public let replica: ReplicaID
        /// Its highest sequence, at least 1.
        public let sequence: UInt64
    }

    /// The entries, ascending by replica, none of sequence 0.
    public private(set) var elements: [Element]

    /// The vector that knows nothing.
    public init() { elements = [] }

    /// The vector of these dots: of several of one replica the highest counts.
    public init(_ dots: some Sequence<Dot>) {
        self.init()
        for dot in dots { raise(dot.replica, to: dot.sequence) }
    }

    /// The vector of these dots, which are ascending by replica, each replica once and none of sequence 0. O(n).
    public init(ascending dots: some Sequence<Dot>) {
        elements = dots.map { Element(replica: $0.replica, sequence: $0.sequence) }
        assert(zip(elements, elements.dropFirst()).allSatisfy { $0.replica < $1.replica })
    }

    /// Whether nothing is known.
    public var isEmpty: Bool { elements.isEmpty }

    /// The entries as dots, ascending by replica.
    public var dots: [Dot] { elements.map { Dot($0.replica, $0.sequence) } }

    /// The highest sequence known of `replica`; setting 0 removes it. O(log n) to read.
    public subscript(replica: ReplicaID) -> UInt64 {
        get {
            let index = firstIndex(notBefore: replica)
            guard index < elements.count, elements[index].replica == replica else { return 0 }
            return elements[index].sequence
        }
        set {
            let index = firstIndex(notBefore: replica)
            let present = index < elements.count && elements[index].replica == replica
            switch (present, newValue) {
            case (true, 0): elements.remove(at: index)
            case (true, _): elements[index] = Element(replica: replica, sequence: newValue)
            case (false, 0): break
            case (false, _): elements.insert(Element(replica: replica, sequence: newValue), at: index)
            }
        }
    }

    /// Whether the change is covered.
    public func contains(_ dot: Dot) -> Bool { self[dot.replica] >= dot.sequence }

    /// Whether everything that `other` covers is covered here too. O(n).
    public func covers(_ other: VersionVector) -> Bool {
        var index = 0
        for element in other.elements {
            while index < elements.count, elements[index].replica < element.replica { index += 1 }
            guard index < elements.count, elements[index].replica == element.replica,
                elements[index].sequence >= element.sequence
            else { return false }
        }
        return true
    }

    /// Raises one entry if `sequence` is higher.
    public mutating func raise(_ replica: ReplicaID, to sequence: UInt64) {
        if self[replica] < sequence { self[replica] = sequence }
    }

    /// The pointwise maximum. O(n).
    public mutating func merge(_ other: VersionVector) {
        guard !other.isEmpty else { return }
        guard !isEmpty else {
            self = other
            return
        }
        if covers(other) { return }
        combine(other, keepingMissing: true) { max($0, $1) }
    }

    /// The pointwise minimum: what both cover. O(n).
    public func intersection(_ other: VersionVector) -> VersionVector {
        var result = self
        result.combine(other, keepingMissing: false) { min($0, $1) }
        return result
    }

    private mutating func combine(
        _ other: VersionVector, keepingMissing: Bool, _ choose: (UInt64, UInt64) -> UInt64
    ) {
        var result: [Element] = []
        result.reserveCapacity(elements.count + other.elements.count)
        var (left, right) = (0, 0)
        while left < elements.count || right < other.elements.count {
            if right == other.elements.count
                || left < elements.count && elements[left].replica < other.elements[right].replica
            {
                if keepingMissing { result.append(elements[left]) }
                left += 1
            } else if left == elements.count || other.elements[right].replica < elements[left].replica {
                if keepingMissing { result.append(other.elements[right]) }
                right += 1
            } else {
                let sequence = choose(elements[left].sequence, other.elements[right].sequence)
                result.append(Element(replica: elements[left].replica, sequence: sequence))
                (left, right) = (left + 1, right + 1)
            }
        }
        elements = result
    }

    private func firstIndex(notBefore replica: ReplicaID) -> Int {
        var (low, high) = (0, elements.count)
        while low < high {
            let middle = (low + high) / 2
            if elements[middle].replica < replica { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// The strict causal past of one change: its own chain before it, and what that chain knew of the others.
public struct CausalPast: Hashable, Sendable {
    /// The change itself, which is not in its past.
    public let dot: Dot
    /// What was known of the other replicas (an entry of the own replica is ignored).
    public let others: VersionVector

    /// The past of `dot`, which knew `others`.
    public init(of dot: Dot, others: VersionVector) {
        self.dot = dot
        self.others = others
    }

    /// Whether the other change happened before this one.
    public func contains(_ other: Dot) -> Bool {
        other.replica == dot.replica ? other.sequence < dot.sequence : others.contains(other)
    }

    /// The past as a version vector.
    public var vector: VersionVector {
        var vector = others
        vector[dot.replica] = dot.sequence - 1
        return vector
    }

    /// The past together with the change itself.
    public var closedVector: VersionVector {
        var vector = others
        vector[dot.replica] = dot.sequence
        return vector
    }
}
