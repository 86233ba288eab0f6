// Cuts the log into runs for a peer, in order of arrival, which is a causal order. Changes of one chain that
// arrived one after another go into one run under the last signature: their dependencies all came before the
// run.

import ConcordCrypto
import ConcordModel
import GRDB

/// Reads a part of the log of one space.
struct LogSlicer {
    private let space: PublishedSpace
    private let known: VersionVector
    /// What the peer has of that.
    private let had: VersionVector
    private let maximumBytes: Int
    private let chains: [Int64: Chain]
    private var runs: [ChangeRun] = []
    private var byteCount = 0
    private var run: OpenRun?
    /// The last place that was read.
    private var position: Int64

    /// A run that may still grow.
    fileprivate struct OpenRun {
        /// The chain of the last change: where the branches of a replica part, a run may lead from one chain into the next.
        var chain: Chain
        let first: UInt64
        /// The hash of the change before the first.
        let previous: Digest
        /// The place before the run.
        let before: Int64
        var changes: [[UInt8]]
        var bytes: Int
        /// The last signature, and after how many changes it stands.
        var signed: (signature: Signature, count: Int, bytes: Int, hash: Digest)?
        /// The place of the last signature.
        var signedPosition: Int64
    }

    init(space: PublishedSpace, after position: Int64, excluding leftOut: LeftOut, maximumBytes: Int) {
        self.space = space
        known = leftOut.all
        had = leftOut.had
        self.maximumBytes = maximumBytes
        self.position = position
        chains = Dictionary(uniqueKeysWithValues: space.chains.map { ($0.id, $0) })
    }

    /// Reads runs until they have about `maximumBytes`, at least one if there is any.
    mutating func read(_ db: Database) throws -> LogSlice {
        guard let first = try firstLacking(db) else {
            return LogSlice(runs: [], position: max(position, space.position), isLast: true)
        }
        position = max(position, first - 1)
        let sql = """
            SELECT position, chain, sequence, signature, bytes, hash FROM log
            WHERE position > ? AND position <= ? ORDER BY position
            """
        let rows = try Row.fetchCursor(
            db.cachedStatement(sql: sql), arguments: [position, space.position])
        while let row = try rows.next() {
            guard let chain = chains[row[1]] else {
                // A change of another space that this database holds.
                position = row[0]
                continue
            }
            let sequence = row.unsigned(2)
            // What the peer has does not part what it lacks: nothing that a run depends on can be missing because of it.
            guard known[chain.name] < sequence else {
                if run != nil, had[chain.name] < sequence, try !close() {
                    return LogSlice(runs: runs, position: position, isLast: false)
                }
                position = row[0]
                continue
            }
            if let open = run, !open.isContinued(by: chain, sequence) || open.isFull(maximumBytes),
                try !close()
            {
                return LogSlice(runs: runs, position: position, isLast: false)
            }
            if try !extend(chain, sequence, row, db) {
                return LogSlice(runs: runs, position: position, isLast: false)
            }
            position = row[0]
        }
        if run != nil, try !close() { return LogSlice(runs: runs, position: position, isLast: false) }
        return LogSlice(runs: runs, position: max(position, space.position), isLast: true)
    }

    /// The first place of the log that the peer lacks, nil if there is none: an absence costs what it left
    /// out, not what the log holds.
    private func firstLacking(_ db: Database) throws -> Int64? {
        let sql = "SELECT position FROM log WHERE chain = ? AND sequence = ?"
        let statement = try db.cachedStatement(sql: sql)
        return try space.chains.compactMap { chain in
            let next = max(known[chain.name] + 1, chain.start)
            guard next <= chain.sequence else { return nil }
            return try Int64.fetchOne(statement, arguments: [chain.id, next.stored])
        }.min()
    }

    /// Takes a change into the open run. What was signed before is a run of its own if the two together would be too
    /// long for one; false if that does not fit any more.
    private mutating func extend(
        _ chain: Chain, _ sequence: UInt64, _ row: Row, _ db: Database
    ) throws -> Bool {
        let bytes = row.bytes(4)
        var open: OpenRun
        if let run {
            open = run
        } else {
            let previous = try hash(before: sequence, of: chain, db)
            open = OpenRun(
                chain: chain, first: sequence, previous: previous, before: position, changes: [],
                bytes: Signature.byteCount, signedPosition: position)
        }
        run = nil
        if let rest = open.split(before: bytes.count) {
            run = open
            guard try close() else { return false }
            open = rest
        }
        open.chain = chain
        open.changes.append(bytes)
        open.bytes += bytes.count
        if let stored = row.optionalBytes(3) {
            guard let signature = Signature(bytes: stored) else { throw damaged("a signature is malformed") }
            open.signed = (signature, open.changes.count, open.bytes, try row.digest(5))
            open.signedPosition = row[0]
        }
        run = open
        return true
    }

    /// The hash of the change before this one, or of the chain's root.
    private func hash(before sequence: UInt64, of chain: Chain, _ db: Database) throws -> Digest {
        guard sequence > 1 else { return Change.chainRoot(space: space.space, replica: chain.replica) }
        let holder = sequence == chain.start ? chain.parent.flatMap(space.chain) : chain
        let sql = "SELECT hash FROM log WHERE chain = ? AND sequence = ?"
        let row = try Row.fetchOne(
            db.cachedStatement(sql: sql), arguments: [holder?.id, (sequence - 1).stored])
        guard let row else {
            throw damaged("change \(Dot(chain.name, sequence - 1)) is missing from the log")
        }
        return try row.digest(0)
    }

    /// Ends the open run. False if it does not fit any more: then the slice ends before it.
    private mutating func close() throws -> Bool {
        guard let open = run else { return true }
        run = nil
        guard let signed = open.signed, signed.count == open.changes.count else {
            // Before a fork the signature may stand in the branch that was signed together with it. Who has that branch has
            // this, whatever it says.
            if space.chains.contains(where: { $0.parent == open.chain.name }) { return true }
            throw damaged("change \(Dot(open.chain.name, open.first)) is covered by no signature")
        }
        guard runs.isEmpty || byteCount + open.bytes <= maximumBytes else {
            position = open.before
            return false
        }
        runs.append(
            ChangeRun(
                replica: open.chain.replica, chain: open.chain.name, firstSequence: open.first,
                previous: open.previous.mark, changes: open.changes, signature: signed.signature))
        byteCount += open.bytes
        return true
    }
}

extension LogSlicer.OpenRun {
    /// Ends the run at its last signature if `more` bytes would make it too long; gives back what follows the signature.
    fileprivate mutating func split(before more: Int) -> Self? {
        guard let signed, bytes + more > Limits.signedRunBytes else { return nil }
        let rest = Self(
            chain: chain, first: first + UInt64(signed.count), previous: signed.hash, before: signedPosition,
            changes: Array(changes[signed.count...]), bytes: bytes - signed.bytes + Signature.byteCount,
            signedPosition: signedPosition)
        changes.removeSubrange(signed.count...)
        bytes = signed.bytes
        return rest
    }

    /// Whether a change follows in this run: the next one of its chain, or, where the run is not signed yet, the first one
    /// of a branch that was signed together with it.
    fileprivate func isContinued(by chain: Chain, _ sequence: UInt64) -> Bool {
        if self.chain.id == chain.id { return true }
        return signed?.count != changes.count && chain.parent == self.chain.name && chain.start == sequence
    }

    /// Whether the run ends with its last change: it is signed there, and large enough for a slice of `maximumBytes`.
    fileprivate func isFull(_ maximumBytes: Int) -> Bool {
        signed?.count == changes.count && bytes >= min(maximumBytes, Limits.signedRunBytes / 2)
    }
}
