// What can still be read of a damaged replica, page by page, whatever became of the way to the pages. Only the log
// matters, with whose chains and which spaces there are: everything else follows from it. What is read is believed by
// nobody: changes are verified like a peer's.

import ConcordCrypto
import ConcordModel

/// A replica that SQLite cannot read any more, or not wholly.
public struct DamagedReplica {
    /// A space of which the row was readable.
    public struct Space: Hashable, Sendable {
        /// Its charter.
        public let charter: SignedCharter
        /// The authority that was named in the invite, until it stood on the roster.
        public let inviter: [UInt8]?
    }

    /// How much was read.
    public struct Figures: Hashable, Sendable {
        /// Pages of the database.
        public var pages = 0
        /// Of these, pages that the disk could not read.
        public var unreadablePages = 0
        /// Frames of the write-ahead log that SQLite would not look at, because one of their checksums does not hold.
        public var brokenFrames = 0
        /// Changes that the damaged replica held, as far as it still says.
        public var named: Int64 = 0
        /// Of these, changes that were read.
        public var read: Int64 = 0
        /// Changes that it had written itself, as far as it still says.
        public var ownNamed: Int64 = 0
        /// Of these, changes that were read.
        public var ownRead: Int64 = 0

        /// Nothing was read yet.
        public init() {}
    }

    private struct ChainRow {
        let space: Int64
        let name: ReplicaID
        let replica: ReplicaID
        let start: UInt64
        let parent: ReplicaID?
        let sequence: UInt64
        let isOwn: Bool
    }

    private struct LogRow {
        let position: Int64
        let hash: Digest
        let signature: Signature?
        let bytes: [UInt8]
    }

    private struct Place: Hashable {
        let chain: Int64
        let sequence: UInt64
    }

    private let pages: DatabasePages
    private let scanner: RowScanner
    private var spaceRows: [Int64: (id: SpaceID, space: Space)] = [:]
    private var chains: [Int64: ChainRow] = [:]
    /// The first changes of all chains: should a chain's row be lost, they say whose it is.
    private var firstChanges: [Int64: [UInt8]] = [:]

    /// Reads which spaces and chains there were.
    ///
    /// - Parameter path: The database; its write-ahead log is read, too.
    /// - Throws: ``ConcordError`` E-1010 if the file cannot be opened.
    public init(path: String) throws {
        pages = try DatabasePages(path: path)
        scanner = RowScanner(pages: pages)
        pages.scan { form in
            for row in scanner.rows(of: form) {
                addSpace(row)
                addChain(row)
                if let (place, log) = Self.log(row), place.sequence == 1 {
                    firstChanges[place.chain] = log.bytes
                }
            }
        }
    }

    /// The spaces of which the row was readable, in the order of their rows.
    public var spaces: [Space] { spaceRows.sorted { $0.key < $1.key }.map(\.value.space) }

    private mutating func addSpace(_ row: StoredRow) {
        let values = row.values
        guard values.count == 7, values[0].isNull, let id = values[1].blob.flatMap({ Digest(bytes: $0) }),
            values[2].text != nil, let bytes = values[3].blob, spaceRows[row.number] == nil,
            let charter = try? SignedCharter(encoded: bytes), charter.charter.space.digest == id
        else { return }
        spaceRows[row.number] = (SpaceID(id), Space(charter: charter, inviter: values[4].blob))
    }

    private mutating func addChain(_ row: StoredRow) {
        let values = row.values
        guard values.count == 17, values[0].isNull, let space = values[1].integer,
            let name = values[2].blob.flatMap({ ReplicaID(bytes: $0) }),
            let replica = values[3].blob.flatMap({ ReplicaID(bytes: $0) }),
            let start = values[4].sequence, values[7].blob?.count == 32, values[8].text != nil,
            let sequence = values[12].integer, let own = values[16].integer
        else { return }
        let parent = values[5].blob.flatMap { ReplicaID(bytes: $0) }
        let found = ChainRow(
            space: space, name: name, replica: replica, start: start, parent: parent,
            sequence: UInt64(clamping: sequence), isOwn: own == 1)
        // Of several forms of a row the one that knows most is the latest.
        if let known = chains[row.number], known.sequence >= found.sequence { return }
        chains[row.number] = found
    }

    private static func log(_ row: StoredRow) -> (place: Place, row: LogRow)? {
        let values = row.values
        guard values.count == 10, values[0].isNull, let chain = values[1].integer,
            let sequence = values[2].sequence, let hash = values[3].blob.flatMap({ Digest(bytes: $0) }),
            values[6].integer != nil, values[8].integer != nil, let bytes = values[9].blob
        else { return nil }
        var signature: Signature?
        if !values[4].isNull {
            guard let found = values[4].blob.flatMap({ Signature(bytes: $0) }) else { return nil }
            signature = found
        }
        return (
            Place(chain: chain, sequence: sequence),
            LogRow(position: row.number, hash: hash, signature: signature, bytes: bytes)
        )
    }

    /// What stands only in the part of the write-ahead log that SQLite does not look at any more, because a checksum
    /// before it does not hold: after a power cut the torn end of the last transaction, after damage also what had been
    /// durable. It must be asked before SQLite opens the database, which goes on over that part.
    ///
    /// - Throws: ``ConcordError`` E-5003 if that is all of the log, which may hold what nothing else follows from: then the
    ///   replica is to be salvaged as a whole.
    public static func changesBeyondLog(of path: String) throws -> [SalvagedRun] {
        guard ReplicaStore.isLeftOpen(path) else { return [] }
        let pages = try DatabasePages(path: path)
        guard !pages.isLogHeadDamaged else {
            throw ConcordError(
                .corruptDatabase,
                "the head of \(path)-wal is damaged, and SQLite would pass over everything in that file")
        }
        guard pages.brokenFrames > 0 else { return [] }
        return try DamagedReplica(path: path).changes(onlyBeyond: true).runs
    }

    /// Reads the changes, whatever is held elsewhere: under the same number that may be another one.
    ///
    /// - Returns: the runs, in the order in which they had arrived, and how much there was.
    public func changes(onlyBeyond: Bool = false) -> (runs: [SalvagedRun], figures: Figures) {
        var rows: [Place: [LogRow]] = [:]
        var seen: Set<Place> = []
        pages.scan { form in
            for row in scanner.rows(of: form) {
                guard let (place, found) = Self.log(row) else { continue }
                // Sound forms of pages come first.
                if onlyBeyond, !form.isBeyond || seen.contains(place) && rows[place] == nil {
                    seen.insert(place)
                    continue
                }
                seen.insert(place)
                // A stale form of a page may bear another change under the same number, or the same without signature.
                if rows[place]?.contains(where: { $0.hash == found.hash && $0.signature == found.signature })
                    != true
                {
                    rows[place, default: []].append(found)
                }
            }
        }
        let runs = runs(of: rows)
        return (runs, figures(seen))
    }

    private func figures(_ seen: Set<Place>) -> Figures {
        var figures = Figures()
        figures.pages = pages.count
        figures.unreadablePages = pages.unreadable
        figures.brokenFrames = pages.brokenFrames
        let read = Dictionary(grouping: seen, by: \.chain)
        for id in Set(read.keys).union(chains.keys) {
            let places = read[id] ?? []
            let chain = chains[id]
            let first = chain?.start ?? 1
            let last = max(chain?.sequence ?? 0, places.map(\.sequence).max() ?? 0)
            let named = last < first ? 0 : Int64(last - first + 1)
            figures.named += named
            figures.read += min(named, Int64(places.count))
            guard chain?.isOwn == true else { continue }
            figures.ownNamed += named
            figures.ownRead += min(named, Int64(places.count))
        }
        return figures
    }

    // MARK: Runs

    /// Puts rows together, from one signature to the next, without gaps.
    private func runs(of rows: [Place: [LogRow]]) -> [SalvagedRun] {
        var runs: [(position: Int64, run: SalvagedRun)] = []
        for (chain, places) in Dictionary(grouping: rows.keys, by: \.chain) {
            let sorted = places.sorted { $0.sequence < $1.sequence }
            var begun: [LogRow] = []
            var first: UInt64 = 0
            for place in sorted {
                // The signed form first: another one of the same change was written before it was signed.
                let forms = (rows[place] ?? []).sorted {
                    ($0.signature != nil ? 0 : 1) < ($1.signature != nil ? 0 : 1)
                }
                guard let row = forms.first else { continue }
                if begun.isEmpty || first + UInt64(begun.count) != place.sequence {
                    begun = []
                    first = place.sequence
                }
                begun.append(row)
                guard let signature = row.signature else { continue }
                runs += self.runs(
                    begun, first: first, chain, before: rows[Place(chain: chain, sequence: first - 1)]?.first,
                    signature
                ).map { (row.position, $0) }
                begun = []
            }
        }
        return runs.sorted { $0.position < $1.position }.map(\.run)
    }

    /// One run; several if it is not known whose it is, of which only the true one will verify.
    private func runs(
        _ rows: [LogRow], first: UInt64, _ chain: Int64, before: LogRow?, _ signature: Signature
    ) -> [SalvagedRun] {
        func run(_ space: SpaceID?, _ replica: ReplicaID, _ isOwn: Bool) -> SalvagedRun {
            var previous = before?.hash.mark
            if first == 1, let space { previous = Change.chainRoot(space: space, replica: replica).mark }
            return SalvagedRun(
                space: space, replica: replica, firstSequence: first, previous: previous,
                changes: rows.map(\.bytes), signature: signature, isOwn: isOwn)
        }
        if let known = chains[chain] {
            return [run(spaceRows[known.space]?.id, known.replica, known.isOwn)]
        }
        return owners(of: chain).map { run($0, $1, false) }
    }

    /// Whose chain it may be, by its first change.
    private func owners(of chain: Int64) -> [(SpaceID, ReplicaID)] {
        guard let first = firstChanges[chain], let change = try? Change(encoded: first),
            case .bind(let binding)? = change.entries.first?.operations.first,
            let certificate = try? Certificate(der: binding.certificate)
        else { return [] }
        let node = NodeID(certificate: certificate)
        return spaceRows.values.map { space in
            (space.id, ReplicaID(space: space.id, member: binding.member, node: node, nonce: binding.nonce))
        }
    }

}

extension StoredValue {
    /// The number of a change.
    fileprivate var sequence: UInt64? {
        guard let value = integer, value > 0, value < Int64(Int32.max) << 16 else { return nil }
        return UInt64(value)
    }
}
