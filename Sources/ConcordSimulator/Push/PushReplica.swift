// A store that is small enough for a thousand of them: every change that was ever written stands in one book, and a
// node's log is a list of places in it. It takes what comes in causal order, holds back the rest, and checks that the
// bytes are those that their author wrote.

import ConcordCrypto
import ConcordModel
import ConcordSync

/// All changes of a run.
struct PushBook: Sendable {
    /// A change as its author wrote it.
    struct Entry: Sendable {
        let dot: Dot
        let hash: Digest
        let previous: Digest
        let bytes: [UInt8]
        /// What its author held.
        let past: VersionVector
        let writtenAt: Int64
    }

    private(set) var chains: [ReplicaID: [Entry]] = [:]

    subscript(dot: Dot) -> Entry? {
        guard let chain = chains[dot.replica], dot.sequence > 0, dot.sequence <= chain.count else {
            return nil
        }
        return chain[Int(dot.sequence) - 1]
    }

    static func root(_ replica: ReplicaID) -> Digest { SHA256.hash([7], replica.bytes) }

    /// Adds the next change of a replica.
    mutating func write(_ replica: ReplicaID, past: VersionVector, bytes: [UInt8], at time: Int64) -> Entry {
        let previous = chains[replica]?.last?.hash ?? Self.root(replica)
        let entry = Entry(
            dot: Dot(replica, UInt64(chains[replica]?.count ?? 0) + 1),
            hash: SHA256.hash(previous.bytes, bytes),
            previous: previous, bytes: bytes, past: past, writtenAt: time)
        chains[replica, default: []].append(entry)
        return entry
    }
}

/// One node's replica.
struct PushReplica: Sendable {
    let replica: ReplicaID
    private var log: [Dot] = []
    /// Where in the log each chain's changes stand.
    private var places: [ReplicaID: [Int]] = [:]
    private(set) var vector = VersionVector()
    private var waiting: [Dot] = []
    private var summary: HeldSummary?

    init(_ number: Int) {
        replica = ReplicaID(Bytes16(SHA256.hash(Array("push replica \(number)".utf8)).bytes.prefix(16))!)
    }

    var position: Int64 { Int64(log.count) }

    /// Writes a change of about `payload` bytes.
    mutating func write(_ book: inout PushBook, payload: [UInt8], at time: Int64) -> Dot {
        let entry = book.write(replica, past: vector, bytes: payload, at: time)
        append(entry.dot)
        return entry.dot
    }

    private mutating func append(_ dot: Dot) {
        places[dot.replica, default: []].append(log.count)
        log.append(dot)
        vector.raise(dot.replica, to: dot.sequence)
        summary = nil
    }

    mutating func held(_ book: PushBook) -> HeldSummary {
        if let summary { return summary }
        let heads = vector.dots.compactMap { dot in book[dot].map { ChainHead(dot, hash: $0.hash) } }
        var bytes: [UInt8] = []
        for head in heads {
            bytes += head.dot.replica.bytes
            bytes += head.mark.bytes
        }
        let held = HeldSummary(vector: vector, heads: heads, hash: SHA256.hash(bytes), position: position)
        summary = held
        return held
    }

    /// What a peer's heads say: nobody forks here.
    func compare(_ heads: [ChainHead]) -> HeadComparison {
        HeadComparison(known: VersionVector(heads.map(\.dot)), forked: [])
    }

    func slice(
        _ book: PushBook, after position: Int64, excluding known: VersionVector, maximumBytes: Int
    ) -> LogSlice {
        let first = places.compactMap { replica, places -> Int? in
            let next = Int(known[replica])
            return next < places.count ? places[next] : nil
        }.min()
        guard let first else { return LogSlice(runs: [], position: self.position, isLast: true) }
        var runs: [ChangeRun] = []
        var bytes = 0
        var reached = max(Int(position), first)
        while reached < log.count {
            let dot = log[reached]
            if dot.sequence > known[dot.replica], let entry = book[dot] {
                guard runs.isEmpty || bytes + entry.bytes.count <= maximumBytes else { break }
                runs.append(
                    ChangeRun(
                        replica: dot.replica, firstSequence: dot.sequence, previous: entry.previous.mark,
                        changes: [entry.bytes], signature: Self.signature))
                bytes += entry.bytes.count + Signature.byteCount
            }
            reached += 1
        }
        return LogSlice(runs: runs, position: Int64(reached), isLast: reached == log.count)
    }

    /// Takes runs in.
    ///
    /// - Returns: the outcome, and what was applied.
    mutating func receive(_ runs: [ChangeRun], _ book: PushBook) -> (outcome: ReceiveOutcome, applied: [Dot])
    {
        var refusal: ConcordError?
        for run in runs {
            for (offset, bytes) in run.changes.enumerated() {
                let dot = Dot(run.replica, run.firstSequence + UInt64(offset))
                if book[dot]?.bytes != bytes {
                    refusal = ConcordError(.badSignature, "\(dot) is not what was written")
                }
                if !vector.contains(dot) { waiting.append(dot) }
            }
        }
        var applied: [Dot] = []
        var count: Int
        repeat {
            count = applied.count
            for dot in waiting where dot.sequence == vector[dot.replica] + 1 {
                guard let entry = book[dot], vector.covers(entry.past) else { continue }
                append(dot)
                applied.append(dot)
            }
            waiting.removeAll { vector.contains($0) }
        } while applied.count > count
        var durable = VersionVector()
        for run in runs { durable.raise(run.replica, to: min(vector[run.replica], run.lastSequence)) }
        let outcome = ReceiveOutcome(
            durable: durable, applied: applied.count, heldBack: waiting.count, refusal: refusal)
        return (outcome, applied)
    }

    private static let signature = Signature(bytes: [UInt8](repeating: 1, count: Signature.byteCount))!
}
