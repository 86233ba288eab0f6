// A store that knows nothing of signatures or records: opaque changes with dependencies, applied in causal
// order. It shares no code with the real one, so that a session is judged by the contract alone.

import CBOR
import ConcordCrypto
import ConcordModel

/// Random numbers of tests: splitmix64, so that a printed seed repeats a run.
struct TestRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}

func testReplica(_ number: Int) -> ReplicaID { ReplicaID(Bytes16(high: 0xabcd, low: UInt64(number))) }

func testSpace(_ number: Int) -> SpaceID { SpaceID(SHA256.hash([UInt8(number)])) }

let testSignature = Signature(bytes: [UInt8](repeating: 1, count: Signature.byteCount))!

/// One space of one node.
struct FakeReplica {
    let replica: ReplicaID
    private(set) var log: [ChangeRun] = []
    private(set) var vector = VersionVector()
    private var heads: [ReplicaID: Digest] = [:]
    private var waiting: [ChangeRun] = []
    /// Makes the digest differ from what follows from the changes.
    var digestIsTampered = false

    init(_ number: Int) { replica = testReplica(number) }

    var position: Int64 { Int64(log.count) }

    /// Writes one signed run of `count` changes that depend on all that is held.
    mutating func write(_ count: Int, payload: Int) {
        let first = vector[replica] + 1
        let changes = (0..<count).map { index -> [UInt8] in
            var writer = CBORWriter()
            writer.array(2)
            writer.dots(index == 0 ? vector.dots.filter { $0.replica != replica } : [])
            writer.byteString([UInt8](repeating: UInt8(truncatingIfNeeded: index), count: payload))
            return writer.bytes
        }
        append(ChangeRun(replica: replica, firstSequence: first, changes: changes, signature: testSignature))
    }

    func held() -> (summary: HeldSummary, digest: Digest) {
        var bytes: [UInt8] = []
        for element in vector.elements {
            bytes += element.replica.bytes
            bytes += heads[element.replica]!.bytes
        }
        let hash = SHA256.hash(bytes)
        let digest = SHA256.hash(digestIsTampered ? [1] : hash.bytes)
        return (HeldSummary(vector: vector, hash: hash, position: position), digest)
    }

    func slice(after position: Int64, excluding known: VersionVector, maximumBytes: Int) -> LogSlice {
        var runs: [ChangeRun] = []
        var bytes = 0
        var reached = position
        for run in log.dropFirst(Int(position)) {
            if run.lastSequence > known[run.replica] {
                guard runs.isEmpty || bytes + run.byteCount <= maximumBytes else { break }
                runs.append(run)
                bytes += run.byteCount
            }
            reached += 1
        }
        return LogSlice(runs: runs, position: reached, isLast: reached == self.position)
    }

    mutating func receive(_ runs: [ChangeRun]) -> ReceiveOutcome {
        let before = vector
        waiting += runs
        var progressed = true
        while progressed {
            progressed = false
            for run in waiting where run.lastSequence > vector[run.replica] && isApplicable(run) {
                append(run)
                progressed = true
            }
            waiting.removeAll { $0.lastSequence <= vector[$0.replica] }
        }
        var durable = VersionVector()
        for run in runs where vector[run.replica] > 0 { durable[run.replica] = vector[run.replica] }
        let applied = vector.elements.reduce(0) { $0 + Int($1.sequence - before[$1.replica]) }
        let refusal =
            runs.contains { $0.changes.contains([0xff]) }
            ? ConcordError(.badSignature, "a forged change") : nil
        return ReceiveOutcome(
            durable: durable, applied: applied, heldBack: waiting.reduce(0) { $0 + $1.changes.count },
            refusal: refusal)
    }

    private func isApplicable(_ run: ChangeRun) -> Bool {
        guard run.firstSequence <= vector[run.replica] + 1 else { return false }
        return run.changes.allSatisfy { change in
            var reader = CBORReader(change)
            guard (try? reader.array(count: 2)) != nil, let dots = try? reader.dots(upTo: 100) else {
                return false
            }
            return dots.allSatisfy(vector.contains)
        }
    }

    private mutating func append(_ run: ChangeRun) {
        let known = vector[run.replica]
        guard run.lastSequence > known else { return }
        let changes = Array(run.changes.dropFirst(Int(known + 1 - run.firstSequence)))
        log.append(
            ChangeRun(
                replica: run.replica, firstSequence: known + 1, changes: changes, signature: run.signature))
        for change in changes {
            heads[run.replica] = SHA256.hash(heads[run.replica]?.bytes ?? [], change)
        }
        vector[run.replica] = run.lastSequence
    }
}
