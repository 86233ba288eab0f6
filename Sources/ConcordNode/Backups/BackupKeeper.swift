// Makes backups by itself: each is a consistent copy, made beside the writers, read back and verified before older ones
// go. One sleep until the next is due is all that it costs in between.

import ConcordAPI
import ConcordModel
import ConcordStore
import Glibc
import Logging

/// The keeper of a node's backups.
actor BackupKeeper {
    /// How the last attempt failed.
    struct Failure: Sendable {
        let error: ConcordError
        let at: Int64
    }

    private let store: ReplicaStore
    private let folder: BackupFolder
    private let policy: BackupPolicy
    private let reserve: Int64
    private let clock: @Sendable () -> Int64
    private let logger: Logger
    private let startedAt: Int64
    private var failure: Failure?
    /// One at a time, whoever asks.
    private var isMaking = false

    init(
        home: NodeHome, store: ReplicaStore, policy: BackupPolicy, reserve: Int64,
        clock: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        (self.store, self.policy, self.reserve, self.clock, self.logger) = (
            store, policy, reserve, clock, logger
        )
        folder = BackupFolder(path: policy.folder(in: home))
        startedAt = clock()
    }

    /// Makes backups when they are due, until the task is cancelled.
    func run() async {
        guard policy.interval != nil else { return }
        folder.removeUnfinished()
        while let due = nextAt() {
            let delay = max(0, due - clock())
            // Not longer than an hour at once: a clock that is set must not put a backup off for days.
            guard (try? await Task.sleep(for: .milliseconds(min(delay, 3_600_000)))) != nil else { return }
            await makeIfDue()
        }
    }

    /// Makes a backup if it is time for one.
    func makeIfDue() async {
        if let due = nextAt(), clock() >= due { await makeScheduled() }
    }

    /// When the next backup is due; nil if none are made.
    func nextAt() -> Int64? {
        guard let interval = policy.interval else { return nil }
        let regular =
            folder.items().first.map { $0.at + interval }
            ?? startedAt + min(interval, BackupLimits.firstDelay)
        // A latest backup of the future says that the clock was set back since.
        let bounded = min(regular, clock() + interval)
        return failure.map { max(bounded, $0.at + min(interval, BackupLimits.retry)) } ?? bounded
    }

    private func makeScheduled() async {
        let now = clock()
        do {
            try makeFolder()
            _ = try await make("\(folder.path)/\(BackupFolder.name(at: now))", now: now)
            failure = nil
            prune()
        } catch {
            let error = ConcordError(wrapping: error)
            failure = Failure(error: error, at: clock())
            logger.error(
                "no backup was made",
                metadata: ["code": "\(error.code.rawValue)", "reason": "\(error.message)"])
        }
    }

    /// Makes a backup and reads it back.
    ///
    /// - Throws: ``ConcordError`` E-5013 if another one is being made, or it does not verify; E-5004 if there is no room;
    ///   E-1014 if the file exists.
    func make(_ path: String, now: Int64) async throws -> BackupDocument {
        guard !isMaking else { throw ConcordError(.backupFailed, "another backup is being made") }
        isMaking = true
        defer { isMaking = false }
        try checkRoom(FileSystem.parent(of: path))
        let bytes = try await store.backup(to: path, now: now)
        try FileSystem.synchronize(folder: FileSystem.parent(of: path), failure: .backupFailed)
        let report = try await ReplicaStore.verifyBackup(path)
        // What cannot be written down now is seen in the folder all the same.
        do {
            try await store.recordBackup(.init(at: now, verified: report.isClean, path: path, bytes: bytes))
        } catch {
            let error = ConcordError(wrapping: error)
            logger.warning("a backup is not written down", metadata: ["reason": "\(error.message)"])
        }
        guard report.isClean else {
            let first = report.problems.first?.message ?? "it is incomplete"
            throw ConcordError(.verificationFailed, "the backup \(path) does not verify: \(first)")
        }
        logger.info("a backup is made and verified", metadata: ["path": "\(path)", "bytes": "\(bytes)"])
        return BackupDocument(
            path: path, bytes: bytes, at: Timestamp.text(milliseconds: now), verified: report.isClean)
    }

    /// A backup must not be what fills the disk.
    private func checkRoom(_ folder: String) throws {
        let needed = store.databaseBytes + 2 * reserve
        guard let free = FileSystem.freeBytes(folder), free < needed else { return }
        throw ConcordError(
            .diskFull,
            "a backup of \(store.databaseBytes >> 20) MiB does not fit into \(folder), where "
                + "\(free >> 20) MiB are free")
    }

    private func makeFolder() throws {
        try FileSystem.makeFolder(folder.path, mode: 0o700, failure: .backupFailed)
    }

    private func prune() {
        let items = folder.items()
        let superfluous = Set(policy.superfluous(among: items.map(\.at)))
        for item in items where superfluous.contains(item.at) {
            guard unlink(item.path) == 0 else { continue }
            logger.info("an older backup is removed", metadata: ["path": "\(item.path)"])
        }
    }

    // MARK: What is said of it

    /// The part of the status that is about backups.
    func document() throws -> StatusDocument.Backup {
        let record = try store.backupRecord()
        return .init(
            lastAt: record.map { Timestamp.text(milliseconds: $0.at) }, verified: record?.verified ?? false,
            path: record?.path, bytes: record?.bytes,
            nextAt: nextAt().map { Timestamp.text(milliseconds: $0) },
            failure: failure.map {
                .init(
                    code: $0.error.code.rawValue, message: $0.error.message,
                    at: Timestamp.text(milliseconds: $0.at))
            })
    }

    /// All automatic backups, the latest first.
    func list() -> BackupsDocument {
        BackupsDocument(
            folder: folder.path,
            backups: folder.items().map {
                .init(path: $0.path, bytes: $0.bytes, at: Timestamp.text(milliseconds: $0.at))
            }, nextAt: nextAt().map { Timestamp.text(milliseconds: $0) })
    }

    /// A line for the status if the last attempt failed, or the last good backup is too old.
    func attention() throws -> [StatusDocument.Attention] {
        guard let interval = policy.interval else { return [] }
        if let failure {
            return [line(.backupFailed, "no backup could be made: \(failure.error.message)")]
        }
        let now = clock()
        let record = try store.backupRecord()
        let last = max(record?.at ?? 0, folder.items().first?.at ?? 0)
        // A node that was off for long gets a chance to make one first.
        let since = max(last, startedAt)
        guard now - since > BackupLimits.overdueIntervals * interval else { return [] }
        let age = last == 0 ? "there is none" : "the last is of \(Timestamp.text(milliseconds: last))"
        return [line(.backupOverdue, "a backup is overdue: \(age)")]
    }

    private func line(_ code: ErrorCode, _ message: String) -> StatusDocument.Attention {
        .init(
            code: code.rawValue, severity: .person, member: nil, message: message,
            action: code.entry.action)
    }
}
