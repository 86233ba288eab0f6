// What is measured of rows, in the order in which it is done.

import ConcordCrypto
import ConcordModel
import ConcordStore
import Foundation

/// What writing and merging rows took, in seconds and bytes.
struct RowsMeasurement: Encodable {
    let rows: Int
    let changes: Int
    let valueBytes: Int
    /// Seconds of plain SQLite for the rows, and for the changes of one field.
    var plainInsert: Double
    var plainUpdate: Double
    let plainBytes: Int
    /// Seconds for writing the rows here, with the digest; for taking them in elsewhere, with the digest.
    var write: Double
    var merge: Double
    /// Seconds for writing the changes of one field; for taking them in elsewhere, with the digest.
    var writeChanges: Double
    var mergeChanges: Double
    /// Seconds to catch up the search index after the rows.
    var index: Double
    /// Seconds to open the replica that holds all of it.
    var open: Double
    /// Bytes of the replica with the rows: without the search index, and with it.
    let databaseBytes: Int
    let indexedBytes: Int
    /// Bytes of the runs that carry the rows, and the changes of one field.
    let rowsOnWire: Int
    let changesOnWire: Int

    /// Measures once, in new databases.
    static func of(rows: Int, changes: Int) async throws -> RowsMeasurement {
        let shared = try BenchSpace()
        let author = try await BenchReplica(shared, member: 0)
        let reader = try await BenchReplica(shared, member: 1)
        var ids: [RecordID] = []
        let write = try await timed {
            for start in stride(from: 0, to: rows, by: callSize) {
                let numbers = start..<min(start + callSize, rows)
                ids += try await author.write(numbers.map { [SampleContacts.edit($0)] })
            }
            _ = try await author.store.digest(author.space)
        }.seconds
        let frames = try author.frames()
        let merge = try await merged(frames, into: reader)
        let databaseBytes = try reader.databaseBytes()
        let index = try await timed { _ = try await reader.store.search("nothing", limit: 1) }.seconds
        let indexedBytes = try reader.databaseBytes()

        var generator = BenchRandom(seed: 7)
        let targets = (0..<changes).map { _ in ids[Int.random(in: ids.indices, using: &generator)] }
        let (held, position) = (try author.store.held(author.space).vector, try author.position)
        let writeChanges = try await timed {
            for start in stride(from: 0, to: changes, by: callSize) {
                let numbers = start..<min(start + callSize, changes)
                _ = try await author.write(
                    numbers.map { [.update(targets[$0], [.set("phone", .text(UTF8Text(phone($0))))])] })
            }
            _ = try await author.store.digest(author.space)
        }.seconds
        let news = try author.frames(after: position, excluding: held)
        let mergeChanges = try await merged(news, into: reader)
        guard try await author.store.digest(author.space) == reader.store.digest(reader.space) else {
            throw BenchError("the two replicas differ")
        }
        let plain = try Plain(ids: ids.map(\.bytes), targets: targets.map(\.bytes))
        return RowsMeasurement(
            rows: rows, changes: changes, valueBytes: SampleContacts.valueBytes(rows),
            plainInsert: plain.insert, plainUpdate: plain.update, plainBytes: plain.bytes, write: write,
            merge: merge, writeChanges: writeChanges, mergeChanges: mergeChanges, index: index,
            open: try reader.timeToOpen(), databaseBytes: databaseBytes, indexedBytes: indexedBytes,
            rowsOnWire: frames.byteCount, changesOnWire: news.byteCount)
    }

    /// Keeps the faster figure of each kind.
    mutating func take(_ other: RowsMeasurement) {
        for time: WritableKeyPath<RowsMeasurement, Double> in [
            \.plainInsert, \.plainUpdate, \.write, \.merge, \.writeChanges, \.mergeChanges, \.index, \.open,
        ] { self[keyPath: time] = min(self[keyPath: time], other[keyPath: time]) }
    }

    /// Drafts of one call, as an import makes them.
    private static let callSize = 10_000

    private static func phone(_ number: Int) -> String { "+264 61 282 \(1_000_000 + number)" }

    private static func merged(_ frames: [[ChangeRun]], into replica: BenchReplica) async throws -> Double {
        try await timed {
            try await replica.receive(frames)
            _ = try await replica.store.digest(replica.space)
        }.seconds
    }

    private struct Plain {
        let insert: Double
        let update: Double
        let bytes: Int

        init(ids: [[UInt8]], targets: [[UInt8]]) throws {
            let folder = try TemporaryFolder()
            let path = folder.path + "/plain.db"
            let database = try PlainDatabase(path: path)
            let clock = ContinuousClock()
            insert = try clock.measure { try database.insert(ids) }.seconds
            bytes = try PlainDatabase.bytes(of: path)
            update = try clock.measure {
                try database.update(targets, "phone") { RowsMeasurement.phone($0) }
            }.seconds
        }
    }
}

extension RowsMeasurement {
    /// What was measured, for people.
    var table: String {
        func row(_ name: String, _ seconds: Double, _ count: Int, beside plain: Double) -> [String] {
            [
                name, "\(BenchReport.number(seconds, 3)) s",
                "\(BenchReport.count(Int(Double(count) / seconds)))/s",
                "\(BenchReport.number(seconds * 1e6 / Double(count), 1)) µs",
                plain == seconds ? "" : "\(BenchReport.number(seconds / plain, 2)) × plain",
            ]
        }
        func size(_ name: String, _ bytes: Int, _ count: Int, beside other: Int) -> [String] {
            [
                name, "\(BenchReport.count(bytes)) B", "", "\(BenchReport.number(Double(bytes) / Double(count), 1)) B",
                other == 0 ? "" : "\(BenchReport.number(Double(bytes) / Double(other), 2)) ×",
            ]
        }
        let title =
            "\(BenchReport.count(rows)) contacts of \(valueBytes / rows) bytes of values, "
            + "\(BenchReport.count(changes)) changes of one field"
        return title + "\n"
            + BenchReport.table([
                row("plain SQLite, insert", plainInsert, rows, beside: plainInsert),
                row("write, with digest", write, rows, beside: plainInsert),
                row("merge, with digest", merge, rows, beside: plainInsert),
                row("search index afterwards", index, rows, beside: plainInsert),
                row("plain SQLite, update", plainUpdate, changes, beside: plainUpdate),
                row("write changes, with digest", writeChanges, changes, beside: plainUpdate),
                row("merge changes, with digest", mergeChanges, changes, beside: plainUpdate),
                ["open the replica", "\(BenchReport.number(open * 1000, 1)) ms"],
                size("plain SQLite, file", plainBytes, rows, beside: 0),
                size("replica without search index", databaseBytes, rows, beside: plainBytes),
                size("replica with search index", indexedBytes, rows, beside: plainBytes),
                size("rows on the wire, beside values", rowsOnWire, rows, beside: valueBytes),
                size("changes on the wire", changesOnWire, changes, beside: 0),
            ])
    }
}

extension [[ChangeRun]] {
    /// The bytes of all runs.
    var byteCount: Int { reduce(0) { $0 + $1.reduce(0) { $0 + $1.byteCount } } }
}

/// A small generator whose numbers follow from its seed (SplitMix64).
struct BenchRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
