// Automatic backups: when they are due, which are kept, and what is said of them, by a clock that the test sets.

import ConcordAPI
import ConcordModel
import Foundation
import Logging
import Synchronization
import Testing

@testable import ConcordNode
@testable import ConcordStore

@Suite("Automatic backups") struct BackupScheduleTests {
    private static let day: Int64 = 86_400_000

    @Test("the latest of each of the latest days and weeks is kept, and always the latest of all")
    func retention() {
        var policy = BackupPolicy()
        (policy.keptDays, policy.keptWeeks) = (3, 2)
        // 2026-11-30 is a Monday.
        let monday = Timestamp.milliseconds(text: "2026-11-30T00:00:00Z")!
        let hours: [Int64] = [-200, -190, -26, -20, -3, 2, 5, 26, 30]
        let times = hours.map { monday + $0 * 3_600_000 }
        let dropped = policy.superfluous(among: times).map { ($0 - monday) / 3_600_000 }
        // Kept: Tuesday 6 h, Monday 5 h, Sunday −3 h; the two weeks' latest are among them.
        #expect(dropped == [-200, -190, -26, -20, 2, 26])
        (policy.keptDays, policy.keptWeeks) = (0, 0)
        #expect(policy.superfluous(among: times).count == times.count - 1)
        #expect(policy.superfluous(among: []) == [])
    }

    @Test("a year of daily backups leaves as many as the policy says")
    func year() {
        let policy = BackupPolicy()
        var kept: [Int64] = []
        for number in 0..<365 {
            kept.append(testNow + Int64(number) * Self.day)
            let dropped = Set(policy.superfluous(among: kept))
            kept.removeAll { dropped.contains($0) }
            #expect(kept.last == testNow + Int64(number) * Self.day)
        }
        #expect((9...11).contains(kept.count))
    }

    @Test("names tell backups from every other file")
    func names() {
        let name = BackupFolder.name(at: testNow)
        #expect(BackupFolder.time(ofName: name) == testNow)
        for other in [
            "notes.txt", name + ".part", "x" + name, "concord-.backup", "concord-20261301T000000.000Z.backup",
        ] {
            #expect(BackupFolder.time(ofName: other) == nil, "\(other)")
        }
    }

    @Test("intervals are read as people write them")
    func intervals() {
        #expect(BackupPolicy.interval("1d") == .some(.some(Self.day)))
        #expect(BackupPolicy.interval("90m") == .some(.some(5_400_000)))
        #expect(BackupPolicy.interval("off") == .some(nil))
        for text in ["", "d", "0h", "-1h", "1w", "1.5h", "daily", "99999999999999999999d"] {
            #expect(BackupPolicy.interval(text) == nil, "\(text)")
        }
    }

    /// A replica with one contact, a keeper of its backups, and the clock of both.
    private final class Bench: Sendable {
        let home: NodeHome
        let store: ReplicaStore
        let now = Mutex(testNow)
        private let folder = TemporaryFolder()

        init() async throws {
            home = NodeHome(path: folder.file("home"))
            try home.prepare()
            store = try ReplicaStore(path: home.database)
        }

        func keeper(_ change: (inout BackupPolicy) -> Void = { _ in }, reserve: Int64 = 0) -> BackupKeeper {
            var policy = BackupPolicy()
            change(&policy)
            return BackupKeeper(
                home: home, store: store, policy: policy, reserve: reserve,
                clock: { self.now.withLock { $0 } },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        func advance(_ milliseconds: Int64) { now.withLock { $0 += milliseconds } }
        var files: [BackupFolder.Item] { BackupFolder(path: home.backups).items() }
    }

    @Test("the first comes soon after the start, the next a day later, and each is verified, kept and shown")
    func schedule() async throws {
        let bench = try await Bench()
        let keeper = bench.keeper()
        #expect(await keeper.nextAt() == testNow + 600_000)
        bench.advance(600_000)
        await keeper.makeIfDue()
        #expect(bench.files.map(\.at) == [testNow + 600_000])
        #expect(await keeper.nextAt() == testNow + 600_000 + Self.day)
        let document = try await keeper.document()
        #expect(
            document.verified && document.path == bench.files[0].path
                && document.bytes == bench.files[0].bytes)
        #expect(document.lastAt == Timestamp.text(milliseconds: testNow + 600_000) && document.failure == nil)
        // A restart does not make another one.
        let again = bench.keeper()
        #expect(await again.nextAt() == testNow + 600_000 + Self.day)
        await again.makeIfDue()
        #expect(bench.files.count == 1)
        bench.advance(Self.day)
        await again.makeIfDue()
        #expect(bench.files.count == 2)
        #expect(await again.list().backups.map(\.path) == bench.files.map(\.path))
        #expect(try await again.attention().isEmpty)
        let mode = try FileManager.default.attributesOfItem(atPath: bench.files[0].path)[.posixPermissions]
        #expect((mode as? NSNumber)?.int16Value == 0o600)
    }

    @Test("older ones go only after a new one is good, and nothing else in the folder is touched")
    func pruning() async throws {
        let bench = try await Bench()
        let keeper = bench.keeper { ($0.keptDays, $0.keptWeeks) = (1, 0) }
        bench.advance(Self.day)
        await keeper.makeIfDue()
        let stranger = bench.home.backups + "/concord-notes.backup"
        try Data("mine".utf8).write(to: URL(fileURLWithPath: stranger))
        let unfinished = bench.files[0].path.replacing("Z.backup", with: "Z.backup.part")
        try Data("half".utf8).write(to: URL(fileURLWithPath: unfinished))
        bench.advance(Self.day)
        await keeper.makeIfDue()
        #expect(bench.files.map(\.at) == [testNow + 2 * Self.day])
        #expect(FileManager.default.fileExists(atPath: stranger))
        BackupFolder(path: bench.home.backups).removeUnfinished()
        #expect(!FileManager.default.fileExists(atPath: unfinished))
        #expect(FileManager.default.fileExists(atPath: stranger))
    }

    @Test("a backup that does not fit is not begun, is said, and is tried again later")
    func noRoom() async throws {
        let bench = try await Bench()
        let keeper = bench.keeper(reserve: Int64.max / 8)
        bench.advance(Self.day)
        await keeper.makeIfDue()
        #expect(bench.files.isEmpty)
        let line = try #require(try await keeper.attention().first)
        #expect(line.code == "E-5013" && line.severity == .person)
        #expect(try await keeper.document().failure?.code == "E-5004")
        #expect(await keeper.nextAt() == testNow + Self.day + 900_000)
    }

    @Test("a backup by hand is the next step after a failure, and `status` believes it")
    func byHand() async throws {
        let bench = try await Bench()
        let keeper = bench.keeper()
        bench.advance(Self.day)
        // Where the folder should be is a file.
        try Data().write(to: URL(fileURLWithPath: bench.home.backups))
        await keeper.makeIfDue()
        #expect(try await keeper.attention().map(\.code) == ["E-5013"])
        let path = bench.home.path + "/by-hand.backup"
        _ = try await keeper.make(path, now: bench.now.withLock { $0 })
        #expect(try await keeper.attention().isEmpty)
        let document = try await keeper.document()
        #expect(document.path == path && document.verified && document.failure == nil)
    }

    @Test("what is said of the last good backup survives a bad one, and an older database")
    func lastGood() async throws {
        let bench = try await Bench()
        let keeper = bench.keeper()
        bench.advance(Self.day)
        await keeper.makeIfDue()
        let good = try #require(bench.files.first)
        try await bench.store.recordRefusedBackup(at: testNow + Self.day + 5)
        var document = try await bench.keeper().document()
        #expect(document.path == good.path && document.verified)
        #expect(document.failure?.code == "E-5013")
        // As a restored database says it.
        try await bench.store.recordBackup(.init(at: testNow, path: "/gone", bytes: 1))
        document = try await keeper.document()
        #expect(document.path == good.path && document.bytes == good.bytes && document.failure == nil)
    }

    @Test("without a good backup for two intervals somebody is called")
    func overdue() async throws {
        let bench = try await Bench()
        let keeper = bench.keeper()
        bench.advance(2 * Self.day)
        #expect(try await keeper.attention().isEmpty)
        bench.advance(1)
        #expect(try await keeper.attention().map(\.code) == ["E-5012"])
        #expect(try await bench.keeper { $0.interval = nil }.attention().isEmpty)
        #expect(await bench.keeper { $0.interval = nil }.nextAt() == nil)
    }

    @Test("a clock that was once ahead puts no backup off, and its files are nobody's latest")
    func clockSetBack() async throws {
        let bench = try await Bench()
        let keeper = bench.keeper { ($0.keptDays, $0.keptWeeks) = (1, 0) }
        bench.advance(400 * Self.day)
        await keeper.makeIfDue()
        let ahead = try #require(bench.files.first)
        bench.advance(-390 * Self.day)
        await keeper.makeIfDue()
        #expect(bench.files.map(\.at) == [ahead.at, testNow + 10 * Self.day])
        #expect(await keeper.nextAt() == testNow + 11 * Self.day)
        bench.advance(Self.day)
        await keeper.makeIfDue()
        #expect(bench.files.map(\.at) == [ahead.at, testNow + 11 * Self.day])
        let folder = BackupFolder(path: bench.home.backups)
        #expect(folder.items(now: testNow + 11 * Self.day).map(\.at) == [testNow + 11 * Self.day, ahead.at])
        #expect(try await keeper.attention().isEmpty)
        bench.advance(2 * Self.day + 1)
        #expect(try await keeper.attention().map(\.code) == ["E-5012"])
    }

    @Test("a node that was started with a clock ahead makes its first backup soon after it is right again")
    func startedAhead() async throws {
        let bench = try await Bench()
        bench.advance(3_650 * Self.day)
        let keeper = bench.keeper()
        bench.advance(-3_650 * Self.day)
        #expect(await keeper.nextAt() == testNow + 600_000)
    }

    @Test("a copy that does not verify is not kept, is said after a restart, too, and drives out no good one")
    func unverified() async throws {
        let bench = try await Bench()
        try await bench.store.pool.write { db in
            try db.execute(
                sql: "INSERT INTO space (uid, name, charter, vocabulary, terms) VALUES (?, 'x', ?, 1, ?)",
                arguments: [Data(count: 32), Data([1]), Data(count: 32)])
        }
        let keeper = bench.keeper()
        for _ in 0..<3 {
            bench.advance(Self.day)
            await keeper.makeIfDue()
        }
        #expect(bench.files.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: bench.home.backups) == [])
        #expect(try await keeper.attention().map(\.code) == ["E-5013"])
        #expect(try await bench.keeper().attention().map(\.code) == ["E-5013"])
        #expect(await bench.keeper().nextAt() == testNow + 3 * Self.day + 600_000)
    }
}
