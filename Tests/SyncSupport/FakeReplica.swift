// A store that knows nothing of signatures or records: opaque changes with dependencies, applied in causal order, in a
// tree for each replica, since a replica may sign two changes of one number. It shares no code with the real one, so
// that a session is judged by the contract alone.

import CBOR
import ConcordCrypto
import ConcordModel
import ConcordSync

/// Random numbers of tests: splitmix64, so that a printed seed repeats a run.
package struct TestRandom: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    package mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}

package func testReplica(_ number: Int) -> ReplicaID { ReplicaID(Bytes16(high: 0xabcd, low: UInt64(number))) }

package func testSpace(_ number: Int) -> SpaceID { SpaceID(SHA256.hash([UInt8(number)])) }

package let testSignature = Signature(bytes: [UInt8](repeating: 1, count: Signature.byteCount))!

/// One space of one node.
package struct FakeReplica {
    /// A change that is held.
    private struct Held {
        let dot: Dot
        let hash: Digest
        let previous: Digest
        let bytes: [UInt8]
        /// Which changes were appended together, and so are sent in one run.
        let group: Int
    }

    private let number: Int
    package private(set) var replica: ReplicaID
    private var log: [Held] = []
    private var byHead: [ChainHead: Held] = [:]
    /// What follows a change, by its hash.
    private var children: [Digest: [Digest]] = [:]
    /// The name of the chain in which a change stands, by its hash.
    private var names: [Digest: ReplicaID] = [:]
    package private(set) var vector = VersionVector()
    package private(set) var heads: Set<ChainHead> = []
    private var ownHead: Digest
    private var ownSequence: UInt64 = 0
    private var waiting: [ChangeRun] = []
    private var group = 0
    private var retirements = 0
    package private(set) var receipts: [NodeID: Receipt] = [:]
    /// Makes the digest differ from what follows from the changes.
    package var digestIsTampered = false

    /// - Parameter original: the node whose replica this is a copy of.
    package init(_ number: Int, copyOf original: Int? = nil) {
        self.number = number
        replica = testReplica(original ?? number)
        ownHead = Self.root(replica)
    }

    package var position: Int64 { Int64(log.count) }
    /// How many chains here are branches of replicas that signed two changes of one number.
    package var branches: Int {
        let replicas = Set(heads.map(\.dot.replica))
        return vector.elements.count { !replicas.contains($0.replica) }
    }
    package var latestChange: [UInt8]? { log.last?.bytes }
    package var ownHeadToTell: SpaceHead.Head? {
        ownSequence == 0 ? nil : .init(sequence: ownSequence, hash: ownHead)
    }

    private static func root(_ replica: ReplicaID) -> Digest { SHA256.hash([7], replica.bytes) }

    /// Takes another replica id before anything more is written.
    package mutating func retire() {
        retirements += 1
        replica = testReplica(1000 * number + retirements)
        ownHead = Self.root(replica)
        ownSequence = 0
    }

    /// Writes one signed run of `count` changes that depend on all that is held.
    package mutating func write(_ count: Int, payload: Int) {
        let others = heads.filter { $0.dot.replica != replica }.sorted()
        group += 1
        for index in 0..<count {
            var writer = CBORWriter()
            writer.array(2)
            writer.dependencies(index == 0 ? others : [])
            writer.byteString([UInt8](repeating: UInt8(truncatingIfNeeded: index), count: payload))
            ownSequence += 1
            ownHead = append(Dot(replica, ownSequence), after: ownHead, writer.bytes)
        }
    }

    package func held() -> (summary: HeldSummary, digest: Digest) {
        let heads = heads.sorted()
        var bytes: [UInt8] = []
        for head in heads { bytes += head.dot.replica.bytes + byHead[head]!.hash.bytes }
        let hash = SHA256.hash(bytes)
        let digest = SHA256.hash(digestIsTampered ? [1] : hash.bytes)
        return (HeldSummary(vector: vector, heads: heads, hash: hash, position: position), digest)
    }

    // MARK: Names

    /// Adds a change, which may make a fork: then names are given anew.
    private mutating func append(_ dot: Dot, after previous: Digest, _ bytes: [UInt8]) -> Digest {
        let hash = SHA256.hash(previous.bytes, bytes)
        let held = Held(dot: dot, hash: hash, previous: previous, bytes: bytes, group: group)
        log.append(held)
        byHead[ChainHead(dot, hash: hash)] = held
        children[previous, default: []].append(hash)
        heads.remove(ChainHead(Dot(dot.replica, dot.sequence - 1), hash: previous))
        heads.insert(ChainHead(dot, hash: hash))
        if children[previous]!.count == 1 {
            name(held)
        } else {
            vector = VersionVector()
            for held in log { name(held) }
        }
        return hash
    }

    private mutating func name(_ held: Held) {
        let beginsBranch = children[held.previous]!.count > 1
        let name =
            beginsBranch
            ? ReplicaID(branchBeginningWith: held.hash)
            : held.dot.sequence == 1 ? held.dot.replica : names[held.previous]!
        names[held.hash] = name
        vector.raise(name, to: held.dot.sequence)
    }

    /// The change and all before it in its replica's tree, the last first.
    private func path(to head: ChainHead) -> [Held] {
        var path: [Held] = []
        var next = byHead[head]
        while let held = next {
            path.append(held)
            next = byHead[ChainHead(Dot(held.dot.replica, held.dot.sequence &- 1), hash: held.previous)]
        }
        return path
    }

    package func compare(_ theirs: [ChainHead]) -> HeadComparison {
        var known = VersionVector()
        var forked: Set<ReplicaID> = []
        for head in theirs {
            let path = path(to: head)
            for held in path { known.raise(names[held.hash]!, to: held.dot.sequence) }
            guard path.isEmpty else { continue }
            let own = heads.filter { $0.dot.replica == head.dot.replica }
            // A peer that has more may have gone on from what is held here; of a replica with branches nobody knows.
            if let lowest = own.map(\.dot.sequence).min(), lowest >= head.dot.sequence {
                forked.insert(head.dot.replica)
            } else if own.count < 2 {
                known.raise(head.dot.replica, to: head.dot.sequence)
            }
        }
        for replica in forked
        where !theirs.contains(where: { $0.dot.replica == replica && byHead[$0] != nil }) {
            known[replica] = 0
        }
        return HeadComparison(known: known, forked: forked.sorted())
    }

    // MARK: Exchange

    package func slice(after position: Int64, excluding known: VersionVector, maximumBytes: Int) -> LogSlice {
        var runs: [ChangeRun] = []
        var bytes = 0
        var reached = Int(position)
        while reached < log.count {
            let first = log[reached]
            var end = reached + 1
            while end < log.count, log[end].group == first.group, log[end].previous == log[end - 1].hash,
                names[log[end].hash] == names[first.hash]
            {
                end += 1
            }
            let name = names[first.hash]!
            let lacking = log[reached..<end].filter { $0.dot.sequence > known[name] }
            if let start = lacking.first {
                let run = ChangeRun(
                    replica: start.dot.replica, chain: name, firstSequence: start.dot.sequence,
                    previous: start.previous.mark, changes: lacking.map(\.bytes), signature: testSignature)
                guard runs.isEmpty || bytes + run.byteCount <= maximumBytes else { break }
                runs.append(run)
                bytes += run.byteCount
            }
            reached = end
        }
        return LogSlice(runs: runs, position: Int64(reached), isLast: reached == log.count)
    }

    package mutating func receive(_ runs: [ChangeRun]) -> ReceiveOutcome {
        let before = log.count
        var forked: ReplicaID?
        waiting += runs
        var progressed = true
        while progressed {
            progressed = false
            let tried = waiting
            waiting = []
            for run in tried {
                let count = log.count
                group += 1
                if !take(run, &forked) { waiting.append(run) }
                progressed = progressed || log.count > count
            }
        }
        var durable = VersionVector()
        for run in runs { durable.raise(run.chain, to: lastHeld(of: run)) }
        let refusal =
            runs.contains { $0.changes.contains([0xff]) }
            ? ConcordError(.badSignature, "a forged change") : nil
        return ReceiveOutcome(
            durable: durable, applied: log.count - before,
            heldBack: waiting.reduce(0) { $0 + $1.changes.count }, refusal: refusal, forked: forked,
            tookBranch: forked != nil && log.count > before)
    }

    /// Appends what is new in a run; false if it must wait.
    private mutating func take(_ run: ChangeRun, _ forked: inout ReplicaID?) -> Bool {
        guard var previous = hash(before: run) else {
            guard byHead.keys.contains(where: { $0.dot == Dot(run.replica, run.firstSequence - 1) }) else {
                return false
            }
            forked = run.replica
            return true
        }
        for (index, bytes) in run.changes.enumerated() {
            let dot = Dot(run.replica, run.firstSequence + UInt64(index))
            let hash = SHA256.hash(previous.bytes, bytes)
            if byHead[ChainHead(dot, hash: hash)] == nil {
                guard dependencies(of: bytes).allSatisfy({ byHead[$0] != nil }) else { return false }
                if children[previous] != nil { forked = run.replica }
                _ = append(dot, after: previous, bytes)
            }
            previous = hash
        }
        return true
    }

    /// The hash of what a run follows; nil if that is not held.
    private func hash(before run: ChangeRun) -> Digest? {
        guard run.firstSequence > 1 else {
            let root = Self.root(run.replica)
            return root.mark == run.previous ? root : nil
        }
        return byHead[ChainHead(Dot(run.replica, run.firstSequence - 1), mark: run.previous)]?.hash
    }

    private func lastHeld(of run: ChangeRun) -> UInt64 {
        guard var previous = hash(before: run) else { return 0 }
        var last = run.firstSequence - 1
        for bytes in run.changes {
            previous = SHA256.hash(previous.bytes, bytes)
            guard byHead[ChainHead(Dot(run.replica, last + 1), hash: previous)] != nil else { break }
            last += 1
        }
        return last
    }

    private func dependencies(of change: [UInt8]) -> [ChainHead] {
        var reader = CBORReader(change)
        guard (try? reader.array(count: 2)) != nil else { return [] }
        return (try? reader.dependencies(upTo: 1000)) ?? []
    }

    /// Keeps the receipts that are newer than what is kept, and gives them back.
    package mutating func keep(_ offered: [Receipt]) -> [Receipt] {
        offered.filter { receipt in
            guard receipt.timestamp > receipts[receipt.node]?.timestamp ?? -1 else { return false }
            receipts[receipt.node] = receipt
            return true
        }
    }
}
