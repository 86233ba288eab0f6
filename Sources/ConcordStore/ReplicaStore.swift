// The replica of a node: one SQLite database in which log, visible state and bookkeeping change together, in
// one transaction at a time. What the rest of the program sees of it is this class and the values that it
// gives out.

import ConcordCrypto
import ConcordModel
import Foundation
import GRDB

/// A replica in SQLite.
///
/// All methods throw ``ConcordError`` and nothing else. Reading never waits for writing. What `write` and
/// `receive` report is durable.
public final class ReplicaStore: Sendable {
    /// How a replica is opened.
    public struct Options: Sendable {
        /// Whether nothing may be written, not even a migration.
        public var readOnly: Bool
        /// Memory for pages, for the writer; each reader takes a thirty-second of it: what it reads, the system holds anyway.
        public var cacheBytes: Int
        /// The SQLite VFS to which the path belongs; nil for the file system.
        public var vfs: String?
        /// Where replica ids and salts come from.
        public var randomBytes: @Sendable (Int) throws -> [UInt8]
        /// Whether no chain is this database's own any more, since changes of theirs may be missing here that were durable:
        /// the first write begins a new one.
        public var beginsAnew = false
        /// Bytes of the disk that ordinary writes leave free; 0 for none.
        public var reserveBytes: Int64 = 0
        /// How much is free on the disk of the database; nil if it is not known.
        public var freeBytes: @Sendable () -> Int64? = { nil }
        /// Milliseconds since 1970, by which trouble with the disk is dated.
        public var clock: @Sendable () -> Int64 = { 0 }

        /// Options; nothing is kept in reserve unless that is set.
        public init(
            readOnly: Bool = false, cacheBytes: Int = 32 << 20, vfs: String? = nil,
            randomBytes: @escaping @Sendable (Int) throws -> [UInt8] = { try Randomness.bytes($0) }
        ) {
            self.readOnly = readOnly
            self.cacheBytes = cacheBytes
            self.vfs = vfs
            self.randomBytes = randomBytes
        }
    }

    /// The path of the database.
    public let path: String
    let writer: StoreWriter
    let randomBytes: @Sendable (Int) throws -> [UInt8]
    /// See ``wasLeftOpen``.
    let leftOpen: Bool
    private let queue: WriteQueue
    private let receiver: Receiver

    var pool: DatabasePool { writer.pool }

    /// Opens the replica at `path`, and makes it if there is none.
    ///
    /// - Throws: ``ConcordError`` E-5002 for a database of a newer version, which is left as it is; E-5003
    ///   for a damaged file or one of another program; E-5005 if it cannot be written.
    public init(path: String, options: Options = Options()) throws {
        self.path = path
        leftOpen = Self.isLeftOpen(path)
        let pool = try mappingErrors { try DatabaseFile(path: path).open(options) }
        writer = StoreWriter(
            pool: pool, isReadOnly: options.readOnly, gate: StorageGate(options) { Self.logBytes(path) })
        randomBytes = options.randomBytes
        queue = WriteQueue(writer: writer, random: options.randomBytes)
        receiver = Receiver(writer: writer)
        try mappingErrors { [writer] in try writer.publishAll() }
    }

    /// Closes the database, after which every method fails. Waits for what is being written.
    ///
    /// The write-ahead log is written back and made empty, which tells the next process that all was well; see
    /// ``wasLeftOpen``.
    public func close() throws {
        // Where it cannot be written back, the log stays, and nothing is lost.
        if !writer.isReadOnly, storageTrouble == nil {
            _ = try? pool.writeWithoutTransaction { try ErasureRemains.truncateLog($0) }
        }
        try mappingErrors { try pool.close() }
    }

    /// Closes the database, of which everything stands in its one file then.
    ///
    /// - Throws: ``ConcordError`` if the write-ahead log cannot be written back.
    public func closeIntoOneFile() throws {
        try mappingErrors {
            let left = try pool.writeWithoutTransaction { try ErasureRemains.truncateLog($0) }
            guard left else { throw ConcordError(.storeFailure, "the write-ahead log is in use") }
            try pool.close()
        }
        guard !Self.isLeftOpen(path) else {
            throw ConcordError(.storeFailure, "the write-ahead log of \(path) cannot be written back")
        }
    }

    /// Sets who is told, after each durable commit that added changes to a space, of the place of the latest
    /// change.
    ///
    /// It is called on the writer's queue and must not block.
    public func observeAdvance(_ observer: @escaping @Sendable (SpaceID, _ position: Int64) -> Void) {
        writer.observe(observer)
    }

    /// Sets who is told of each stored text that was found damaged and was made anew from the log, after the commit that
    /// did so.
    ///
    /// It is called on the writer's queue and must not block.
    public func observeRepairs(_ observer: @escaping @Sendable (TextRepair) -> Void) {
        writer.observeRepairs(observer)
    }

    /// How often a stored text was found damaged and made anew, since the database was made.
    public func repairedTexts() throws -> Int64 {
        try read { reader in
            let sql = "SELECT value FROM meta WHERE key = ?"
            return try Int64.fetchOne(reader.db, sql: sql, arguments: [TextRepair.counter]) ?? 0
        }
    }

    /// The bytes of the database on disk, with its write-ahead log.
    public var databaseBytes: Int64 {
        [path, path + "-wal"].reduce(0) { total, file in
            let size = (try? FileManager.default.attributesOfItem(atPath: file))?[.size] as? Int64
            return total + (size ?? 0)
        }
    }

    // MARK: Writing

    /// Writes drafts, each as one change, and gives one result for each, in order.
    ///
    /// The drafts of a call share a transaction as far as its size allows, and calls that come at the same
    /// time share one too. A refused draft has no effect and does not hinder the others.
    ///
    /// - Parameters:
    ///   - author: the name of the person, for people.
    ///   - now: milliseconds since 1970.
    public func write(
        _ drafts: [Draft], in space: SpaceID, by signer: any NodeSigner, author: String, now: Int64
    ) async throws -> [Result<WrittenChange, ConcordError>] {
        _ = try writer.space(space)
        return await queue.write(drafts, in: space, by: signer, author: author, now: now)
    }

    /// Writes one draft as one change.
    public func write(
        _ draft: Draft, in space: SpaceID, by signer: any NodeSigner, author: String, now: Int64
    ) async throws -> WrittenChange {
        let results = try await write([draft], in: space, by: signer, author: author, now: now)
        return try results[0].get()
    }

    // MARK: Exchange

    /// What is held of a space, in short. O(replicas), without asking the database.
    public func held(_ space: SpaceID) throws -> HeldSummary {
        try writer.space(space).summary
    }

    /// What is held of a space and the digest of its visible state, of one and the same moment.
    public func heldWithDigest(_ space: SpaceID) async throws -> (summary: HeldSummary, digest: Digest) {
        try await writer.run { db, memory in
            let held = try memory.space(space, db)
            let digest = try SpaceDigest.compute(held, db)
            return (PublishedSpace(held).summary, digest)
        }
    }

    /// What a peer is to hear of what is held: chains of which values are missing without an erasure only up to there,
    /// and no digest while such a change has effect, since others may see those values (Protocol/changes.md, "Erasure").
    public func heldForPeer(_ space: SpaceID) async throws -> (summary: HeldSummary, digest: Digest?) {
        try await writer.run { db, memory in
            let held = try memory.space(space, db)
            let published = PublishedSpace(held)
            let summary =
                published.provisional.isEmpty ? published.summary : try Provisional.summary(published, db)
            guard !Provisional.isVisible(published) else { return (summary, nil) }
            return (summary, try SpaceDigest.compute(held, db))
        }
    }

    /// The digest of the visible state: equal on every node that holds the same.
    public func digest(_ space: SpaceID) async throws -> Digest {
        try await heldWithDigest(space).digest
    }

    /// A part of the log after a place, in order of arrival, without what `known` covers.
    ///
    /// - Returns: whole runs of together about `maximumBytes`, at least one if there is any.
    public func slice(
        _ space: SpaceID, after position: Int64, excluding known: VersionVector, maximumBytes: Int
    ) throws -> LogSlice {
        try slice(space, after: position, excluding: LeftOut(had: known), maximumBytes: maximumBytes)
    }

    /// A part of the log after a place, in order of arrival, without what is to be left out.
    ///
    /// - Returns: whole runs of together about `maximumBytes`, at least one if there is any.
    public func slice(
        _ space: SpaceID, after position: Int64, excluding leftOut: LeftOut, maximumBytes: Int
    ) throws -> LogSlice {
        let snapshot = try writer.space(space)
        guard position < snapshot.position else {
            return LogSlice(runs: [], position: max(position, snapshot.position), isLast: true)
        }
        var slicer = LogSlicer(
            space: snapshot, after: position, excluding: leftOut, maximumBytes: maximumBytes)
        return try reading { try slicer.read($0) }
    }

    /// Verifies and applies runs from a peer.
    ///
    /// What is held already is skipped. What lacks its predecessor or a dependency waits in memory. The first
    /// run that was altered or invented ends the call with a refusal in the outcome; everything good before
    /// it is applied.
    public func receive(_ runs: [ChangeRun], in space: SpaceID) async throws -> ReceiveOutcome {
        try await receiver.receive(runs, in: space)
    }

    /// A delivery that is verified and on its way to being applied.
    public struct PendingReceipt: Sendable {
        fileprivate let pending: Receiver.Pending

        /// What became of it, once it is durable.
        public func outcome() async throws -> ReceiveOutcome { try await pending.value() }
    }

    /// Verifies runs as ``receive(_:in:)`` does and returns as soon as that is done, so that the next delivery can be
    /// verified while this one is written. Deliveries are to be given one after another, in the order in which they
    /// came.
    public func admit(_ runs: [ChangeRun], in space: SpaceID) async throws -> PendingReceipt {
        PendingReceipt(pending: try await receiver.admit(runs, in: space))
    }
}
