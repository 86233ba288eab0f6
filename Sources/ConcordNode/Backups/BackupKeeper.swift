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
    private var startedAt: Int64
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
            // A backup that somebody is having made is let finish.
            let delay = max(isMaking ? BackupLimits.retry : 0, due - clock())
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
            past().first.map { $0.at + interval } ?? startedAt + min(interval, BackupLimits.firstDelay)
        return failure.map { max(regular, $0.at + min(interval, BackupLimits.retry)) } ?? regular
    }

    /// The backups there are, the latest first, without those of a time to come.
    private func past() -> [BackupFolder.Item] {
        let now = heedClock()
        return folder.items().filter { $0.at <= now }
    }

    /// The time. If the clock was set back, what was remembered of the time after is of now.
    private func heedClock() -> Int64 {
        let now = clock()
        startedAt = min(startedAt, now)
        if let known = failure, known.at > now { failure = Failure(error: known.error, at: now) }
        return now
    }

    private func makeScheduled() async {
        guard !isMaking else { return }
        let now = clock()
        do {
            try makeFolder()
            _ = try await make("\(folder.path)/\(BackupFolder.name(at: now))", now: now)
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
        let parent = FileSystem.parent(of: path)
        try checkRoom(parent)
        guard !FileSystem.exists(path) else { throw ConcordError(.fileExists, "\(path) exists already") }
        // Only what was verified bears the name of a backup.
        let draft = "\(path)-unverified-\(now)"
        let bytes = try await store.backup(to: draft, now: now)
        defer { unlink(draft) }
        // Otherwise what was just written would be read from memory, whatever the disk made of it.
        FileSystem.forgetCached(draft)
        let fault = await Self.fault(of: draft)
        if fault == nil {
            guard rename(draft, path) == 0 else {
                throw FileSystem.refusal(.backupFailed, "\(path) cannot be written")
            }
            try FileSystem.synchronize(folder: parent, failure: .backupFailed)
        }
        await writeDown(fault == nil ? .init(at: now, path: path, bytes: bytes) : nil, now: now)
        if let fault { throw fault }
        failure = nil
        logger.info("a backup is made and verified", metadata: ["path": "\(path)", "bytes": "\(bytes)"])
        return BackupDocument(
            path: path, bytes: bytes, at: Timestamp.text(milliseconds: now), verified: true)
    }

    /// Why a copy of the database is no good backup; nil if it is one.
    private static func fault(of draft: String) async -> ConcordError? {
        do {
            let report = try await ReplicaStore.verifyBackup(draft)
            guard !report.isClean else { return nil }
            let first = report.problems.first?.message ?? "it is incomplete"
            return ConcordError(
                .verificationFailed, "a copy of the database does not verify and is not kept: \(first)",
                action: "stop the daemon, then concord backup salvage --yes")
        } catch {
            return ConcordError(wrapping: error)
        }
    }

    /// Remembers a good backup, or nil for a copy that did not verify. What cannot be written down now is seen in the
    /// folder all the same.
    private func writeDown(_ record: BackupRecord?, now: Int64) async {
        do {
            if let record {
                try await store.recordBackup(record)
            } else {
                try await store.recordRefusedBackup(at: now)
            }
        } catch {
            let error = ConcordError(wrapping: error)
            logger.warning("a backup is not written down", metadata: ["reason": "\(error.message)"])
        }
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
        let items = past()
        let superfluous = Set(policy.superfluous(among: items.map(\.at)))
        for item in items where superfluous.contains(item.at) {
            guard unlink(item.path) == 0 else { continue }
            logger.info("an older backup is removed", metadata: ["path": "\(item.path)"])
        }
    }

    // MARK: What is said of it

    /// The part of the status that is about backups.
    func document() throws -> StatusDocument.Backup {
        .init(
            try lastGood(), nextAt: nextAt(),
            failure: try failureToSay().map {
                .init(
                    code: $0.error.code.rawValue, message: $0.error.message,
                    at: Timestamp.text(milliseconds: $0.at))
            })
    }

    private func lastGood() throws -> BackupRecord? {
        folder.lastGood(remembered: try store.backupRecord(), now: clock())
    }

    /// How the last attempt failed; a copy that did not verify counts until a good one is made, also after a restart.
    private func failureToSay() throws -> Failure? {
        if let failure { return failure }
        return try store.refusedBackup().map { time in
            let text = Timestamp.text(milliseconds: time)
            return Failure(
                error: ConcordError(
                    .backupFailed, "the copy of \(text) did not verify and was not kept"), at: time)
        }
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
        let now = heedClock()
        if let failure = try failureToSay() {
            return [line(.backupFailed, "no backup could be made: \(failure.error.message)")]
        }
        let last = try lastGood()?.at ?? 0
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
