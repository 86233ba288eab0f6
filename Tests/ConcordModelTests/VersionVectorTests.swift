// Version vectors and causal pasts against dictionaries and sets.

import ConcordModel
import Testing

@Suite("Version vectors")
struct VersionVectorTests {
    @Test(
        "reading, raising, merging and covering agree with dictionaries", arguments: 0..<200 as Range<UInt64>)
    func model(seed: UInt64) {
        var random = Seeded(seed)
        let (left, right) = (Self.dots(&random), Self.dots(&random))
        let (a, b) = (VersionVector(left), VersionVector(right))
        let (modelA, modelB) = (Self.model(left), Self.model(right))
        #expect(Self.dictionary(a) == modelA, "seed \(seed)")
        for replica in 0..<12 as Range<UInt64> {
            let replica = ReplicaID(integerLiteral: replica)
            #expect(a[replica] == modelA[replica] ?? 0, "seed \(seed)")
            for sequence in 1...8 as ClosedRange<UInt64> {
                #expect(
                    a.contains(Dot(replica, sequence)) == (modelA[replica] ?? 0 >= sequence), "seed \(seed)")
            }
        }
        var merged = a
        merged.merge(b)
        #expect(Self.dictionary(merged) == modelA.merging(modelB, uniquingKeysWith: max), "seed \(seed)")
        let both = modelA.compactMap { key, value in modelB[key].map { (key, min(value, $0)) } }
        #expect(Self.dictionary(a.intersection(b)) == Dictionary(uniqueKeysWithValues: both), "seed \(seed)")
        #expect(a.covers(b) == modelB.allSatisfy { modelA[$0.key] ?? 0 >= $0.value }, "seed \(seed)")
        #expect(merged.covers(a) && merged.covers(b) && a.covers(a.intersection(b)), "seed \(seed)")
        #expect(VersionVector(a.dots) == a && VersionVector(a.dots.reversed()) == a, "seed \(seed)")
    }

    @Test("setting 0 removes an entry, and equal vectors are equal however they were made")
    func zero() {
        var vector = VersionVector([Dot(1, 3), Dot(2, 1)])
        vector[1] = 0
        vector[3] = 0
        #expect(vector == VersionVector([Dot(2, 1)]))
        vector[2] = 0
        #expect(vector.isEmpty && vector == VersionVector())
    }

    @Test("the past of a change is its own chain before it and what it knew of the others")
    func causalPast() {
        let past = CausalPast(of: Dot(2, 5), others: VersionVector([Dot(1, 3), Dot(2, 99)]))
        #expect(past.contains(Dot(2, 4)) && !past.contains(Dot(2, 5)) && !past.contains(Dot(2, 6)))
        #expect(past.contains(Dot(1, 3)) && !past.contains(Dot(1, 4)) && !past.contains(Dot(3, 1)))
        #expect(past.vector == VersionVector([Dot(1, 3), Dot(2, 4)]))
        #expect(past.closedVector == VersionVector([Dot(1, 3), Dot(2, 5)]))
        #expect(CausalPast(of: Dot(2, 1), others: VersionVector()).vector.isEmpty)
    }

    private static func dots(_ random: inout Seeded) -> [Dot] {
        (0..<random.below(14)).map { _ in
            Dot(ReplicaID(integerLiteral: UInt64(random.below(12))), UInt64(1 + random.below(8)))
        }
    }

    private static func model(_ dots: [Dot]) -> [ReplicaID: UInt64] {
        Dictionary(dots.map { ($0.replica, $0.sequence) }, uniquingKeysWith: max)
    }

    private static func dictionary(_ vector: VersionVector) -> [ReplicaID: UInt64] {
        #expect(zip(vector.elements, vector.elements.dropFirst()).allSatisfy { $0.replica < $1.replica })
        return Dictionary(uniqueKeysWithValues: vector.elements.map { ($0.replica, $0.sequence) })
    }
}
