// The way back from a damaged database. A new replica is made beside it: from the newest good backup, or from nothing
// but the charters, and from every change that can still be read and verifies. Only when it is whole do the two change
// places; the damaged files are kept. As after every restore, the node writes under a new replica id, and what is nowhere
// in its own files comes back from its peers.

import ConcordAPI
import ConcordModel
import ConcordStore
import Glibc

/// Makes the replica of a stopped node anew.
public struct Salvage {
    private static let unfinished = ".unfinished"

    private let home: NodeHome
    private let folder: BackupFolder
    private let now: Int64

    /// A salvage in a home.
    ///
    /// - Parameters:
    ///   - policy: Says where the automatic backups are.
    ///   - now: Milliseconds since 1970.
    public init(home: NodeHome, policy: BackupPolicy, now: Int64) {
        self.home = home
        self.now = now
        folder = BackupFolder(path: policy.folder(in: home))
    }

    /// Salvages what can be salvaged.
    ///
    /// - Parameters:
    ///   - backup: The backup to begin with; nil for the newest automatic one that is good, if there is one.
    ///   - isConfirmed: Whether to do so even where nothing is found wrong with the database.
    /// - Throws: ``ConcordError`` E-6004 if the daemon runs, E-1018 if the database is sound and this was not confirmed,
    ///   E-1010 if there is none; nothing is changed then.
    public func run(from backup: String?, isConfirmed: Bool) async throws -> SalvageDocument {
        let lock = try home.lock()
        defer { lock.release() }
        let sources = try sources()
        if !isConfirmed, !Self.isUnfinished(home) { try await refuseIfSound() }
        let draft = home.database + ".salvage"
        discard(draft)
        var document = try await begin(draft, from: backup)
        let waiting: [SalvagedRun]
        do {
            waiting = try await fill(draft, from: sources, &document)
        } catch {
            discard(draft)
            throw error
        }
        // Until the draft is in its place, the file says all that it said before, and more.
        let file = SalvagedFile(path: home.salvaged)
        try file.add(waiting)
        try change(draft, &document)
        try file.replace(with: waiting)
        try FileSystem.give(
            [home.database, home.damaged, home.salvaged].filter(FileSystem.exists), toOwnerOf: home.path,
            failure: .unwritableHome)
        return document
    }

    /// Whether a salvage was interrupted when it had begun to move the damaged files: then the database in the home may
    /// lack what its write-ahead log held.
    static func isUnfinished(_ home: NodeHome) -> Bool {
        FileSystem.names(home.damaged).contains { $0.hasSuffix(unfinished) }
    }

    /// The damaged database, and all that were moved away before: what did not come in then may come in now, and what is
    /// held is passed over.
    private func sources() throws -> [String] {
        let kept = FileSystem.names(home.damaged).sorted(by: >).map { "\(home.damaged)/\($0)/replica.db" }
        let sources = ([home.database] + kept).filter(FileSystem.exists)
        guard !sources.isEmpty else {
            throw ConcordError(
                .unreadableFile, "there is no replica in \(home.path)",
                action: "restore a backup: concord backup restore FILE --home \(home.path)")
        }
        return sources
    }

    private func refuseIfSound() async throws {
        guard !FileSystem.exists(home.damageMark) else { return }
        do {
            let store = try ReplicaStore(path: home.database, options: .init(readOnly: true))
            defer { try? store.close() }
            try await store.checkPages(withIndexes: true)
        } catch let error as ConcordError {
            guard error.code == .newerDatabase else { return }
            throw error
        }
        throw ConcordError(
            .notConfirmed, "the pages of \(home.database) are sound",
            action: "start the daemon and run `concord verify`; to salvage all the same, repeat it with --yes"
        )
    }

    // MARK: The new replica

    /// Makes the draft from a backup, or lets it begin empty.
    private func begin(_ draft: String, from backup: String?) async throws -> SalvageDocument {
        var document = SalvageDocument(
            home: home.path, damaged: "", backup: nil, backupAt: nil, unusable: [], pages: 0,
            unreadablePages: 0,
            brokenFrames: 0, named: 0, read: 0, ownNamed: 0, ownRead: 0, taken: 0, waiting: 0, refused: 0,
            changes: 0, spaces: 0)
        if let backup {
            try await Self.restore(backup, to: draft)
            document.backup = backup
            return document
        }
        for item in folder.items(now: now) {
            do {
                try await Self.restore(item.path, to: draft)
                document.backup = item.path
                document.backupAt = Timestamp.text(milliseconds: item.at)
                return document
            } catch let error as ConcordError {
                document.unusable.append("\(item.path): \(error.message) (\(error.code.rawValue))")
            }
        }
        return document
    }

    private static func restore(_ backup: String, to draft: String) async throws {
        if let problem = try await ReplicaStore.verifyBackup(backup).problems.first {
            throw ConcordError(
                .verificationFailed, "the backup does not verify: \(problem.message)",
                action: "name another one with --from; `concord backup list` shows them")
        }
        try await ReplicaStore.restore(from: backup, to: draft)
    }

    /// Puts into the draft what can be read; then all of it is in its one file, whose pages are sound.
    ///
    /// - Returns: what lacks something.
    private func fill(
        _ draft: String, from sources: [String], _ document: inout SalvageDocument
    ) async throws -> [SalvagedRun] {
        let earlier = try SalvagedFile(path: home.salvaged).runs()
        let store = try ReplicaStore(path: draft)
        var waiting: [SalvagedRun]
        do {
            waiting = try await fill(store, from: sources, earlier, &document)
            try store.closeIntoOneFile()
        } catch {
            try? store.close()
            throw error
        }
        let whole = try ReplicaStore(path: draft, options: .init(readOnly: true))
        defer { try? whole.close() }
        try await whole.checkPages(withIndexes: true)
        return waiting
    }

    private func fill(
        _ store: ReplicaStore, from sources: [String], _ earlier: [SalvagedRun],
        _ document: inout SalvageDocument
    ) async throws -> [SalvagedRun] {
        var waiting = earlier
        for source in sources {
            let damaged = try DamagedReplica(path: source)
            for space in damaged.spaces {
                let id = space.charter.charter.space
                guard try !store.spaces().contains(where: { $0.id == id }) else { continue }
                try await store.addSpace(space.charter, inviterAuthority: space.inviter)
            }
            let (runs, figures) = damaged.changes()
            // Of those that were moved away before, an earlier salvage has said how much there was.
            if source == sources.first { document.add(figures) }
            let before = try Self.changes(in: store)
            let outcome = try await store.takeIn(salvaged: waiting + runs)
            waiting = outcome.waiting
            document.taken += try Self.changes(in: store) - before
            document.refused += outcome.refused
        }
        // Of several, the one that was in use last.
        if let first = sources.first { try await store.adoptLocalTables(of: first) }
        let report = try await store.verify()
        if let problem = report.problems.first {
            throw ConcordError(
                .verificationFailed, "what was salvaged does not verify: \(problem.message)",
                action:
                    "report it and keep the home as it is; `concord space join` begins anew in another home")
        }
        document.changes = report.changes
        document.spaces = report.spaces.count
        document.waiting = waiting.reduce(0) { $0 + Int64($1.changes.count) }
        return waiting
    }

    private static func changes(in store: ReplicaStore) throws -> Int64 {
        try store.spaces().reduce(0) { $0 + $1.changes }
    }

    // MARK: Changing places

    /// Puts the draft in the place of the damaged files, which keep a name at every moment.
    private func change(_ draft: String, _ document: inout SalvageDocument) throws {
        let name = Timestamp.text(milliseconds: now).filter { $0 != ":" }
        let aside = "\(home.damaged)/\(name)"
        let begun = aside + Self.unfinished
        try FileSystem.makeFolder(begun, mode: 0o700, failure: .unwritableHome)
        for suffix in ["", "-wal"] where FileSystem.exists(home.database + suffix) {
            guard link(home.database + suffix, "\(begun)/replica.db\(suffix)") == 0 else {
                throw FileSystem.refusal(
                    .unwritableHome, "\(home.database)\(suffix) cannot be kept in \(begun)")
            }
        }
        try FileSystem.synchronize(folder: begun, failure: .unwritableHome)
        // What closing left of the draft's log is empty; that of the old database must be gone before another bears its name.
        for suffix in ["-wal", "-shm"] { unlink(draft + suffix) }
        for suffix in ["-wal", "-shm"] { unlink(home.database + suffix) }
        try FileSystem.synchronize(folder: home.path, failure: .unwritableHome)
        guard rename(draft, home.database) == 0 else {
            throw FileSystem.refusal(.unwritableHome, "\(home.database) cannot be replaced")
        }
        chmod(home.database, 0o640)
        unlink(home.damageMark)
        try FileSystem.synchronize(folder: home.path, failure: .unwritableHome)
        for folder in FileSystem.names(home.damaged) where folder.hasSuffix(Self.unfinished) {
            let path = "\(home.damaged)/\(folder)"
            guard rename(path, String(path.dropLast(Self.unfinished.utf8.count))) == 0 else {
                throw FileSystem.refusal(.unwritableHome, "\(path) cannot be renamed")
            }
        }
        document.damaged = aside
    }

    private func discard(_ draft: String) {
        for suffix in ["", "-wal", "-shm", ".part"] { unlink(draft + suffix) }
    }
}

extension SalvageDocument {
    fileprivate mutating func add(_ figures: DamagedReplica.Figures) {
        pages += figures.pages
        unreadablePages += figures.unreadablePages
        brokenFrames += figures.brokenFrames
        named += figures.named
        read += figures.read
        ownNamed += figures.ownNamed
        ownRead += figures.ownRead
    }
}
