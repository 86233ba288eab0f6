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
        let folder = try TemporaryFolder()
        let plain = try PlainDatabase(path: folder.path + "/plain.db")
        var (ids, valueBytes): ([RecordID], Int) = ([], 0)
        var (write, plainInsert) = (0.0, 0.0)
        var contacts = BenchContacts()
        for start in stride(from: 0, to: rows, by: callSize) {
            let values = contacts.next(min(callSize, rows - start))
            valueBytes += values.reduce(0) { $0 + $1.reduce(0) { $0 + $1.utf8.count } }
            let drafts = values.map(BenchContacts.draft)
            write += try await seconds { ids += try await author.write(drafts) }
            let new = ids[start...].map(\.bytes)
            plainInsert += try await seconds { try plain.insert(new[...], values) }
        }
        write += try await seconds { _ = try await author.store.digest(author.space) }
        let plainBytes = try PlainDatabase.bytes(of: folder.path + "/plain.db")
        let frames = try author.frames()
        let merge = try await merged(frames, into: reader)
        let databaseBytes = try reader.databaseBytes()
        let index = try await seconds { _ = try await reader.store.search("nothing", limit: 1) }
        let indexedBytes = try reader.databaseBytes()

        var random = SplitMix(state: 7)
        let targets = (0..<changes).map { _ in ids[Int(random.next() % UInt64(ids.count))] }
        let (held, position) = (try author.store.held(author.space).vector, try author.position)
        var (writeChanges, plainUpdate) = (0.0, 0.0)
        for start in stride(from: 0, to: changes, by: callSize) {
            let part = targets[start..<min(start + callSize, changes)]
            let drafts = part.map { [RecordEdit.update($0, [.set("phone", .text(UTF8Text(phone)))])] }
            writeChanges += try await seconds { _ = try await author.write(drafts) }
            let ids = part.map(\.bytes)
            plainUpdate += try await seconds { try plain.update(ids, "phone") { _ in phone } }
        }
        writeChanges += try await seconds { _ = try await author.store.digest(author.space) }
        let news = try author.frames(after: position, excluding: held)
        let mergeChanges = try await merged(news, into: reader)
        guard try await author.store.digest(author.space) == reader.store.digest(reader.space) else {
            throw BenchError("the two replicas differ")
        }
        return RowsMeasurement(
            rows: rows, changes: changes, valueBytes: valueBytes, plainInsert: plainInsert,
            plainUpdate: plainUpdate, plainBytes: plainBytes, write: write, merge: merge,
            writeChanges: writeChanges, mergeChanges: mergeChanges, index: index,
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

    private static let phone = "+264 61 282 9111"

    private static func seconds(_ body: () async throws -> Void) async rethrows -> Double {
        try await Stopwatch.measureAsync(body).milliseconds / 1000
    }

    private static func merged(_ frames: [[ChangeRun]], into replica: BenchReplica) async throws -> Double {
        try await seconds {
            try await replica.receive(frames)
            _ = try await replica.store.digest(replica.space)
        }
    }
}

extension RowsMeasurement {
    /// What was measured, for people.
    var tables: [BenchTable] {
        var times = BenchTable(
            "\(Figure.count(rows)) contacts of \(valueBytes / rows) bytes of values, "
                + "\(Figure.count(changes)) changes of one field", "", "time", "a second", "each",
            "beside plain")
        func add(_ name: String, _ seconds: Double, _ count: Int, beside plain: Double) {
            times.add(
                name, Figure.time(seconds * 1000), Figure.rate(count, seconds * 1000),
                "\(Figure.number(seconds * 1e6 / Double(count), 1)) µs", Figure.ratio(seconds, plain))
        }
        add("plain SQLite, insert", plainInsert, rows, beside: plainInsert)
        add("write, with digest", write, rows, beside: plainInsert)
        add("merge, with digest", merge, rows, beside: plainInsert)
        add("search index afterwards", index, rows, beside: plainInsert)
        add("plain SQLite, update", plainUpdate, changes, beside: plainUpdate)
        add("write changes, with digest", writeChanges, changes, beside: plainUpdate)
        add("merge changes, with digest", mergeChanges, changes, beside: plainUpdate)
        times.add("open the replica", Figure.time(open * 1000))
        var sizes = BenchTable("Bytes", "", "all", "each", "ratio")
        func add(_ name: String, _ bytes: Int, _ count: Int, beside other: Int?) {
            sizes.add(
                name, Figure.count(bytes), Figure.number(Double(bytes) / Double(count), 1),
                other.map { Figure.ratio(Double(bytes), Double($0)) } ?? "")
        }
        add("plain SQLite", plainBytes, rows, beside: plainBytes)
        add("replica without search index", databaseBytes, rows, beside: plainBytes)
        add("replica with search index", indexedBytes, rows, beside: plainBytes)
        add("rows on the wire, beside their values", rowsOnWire, rows, beside: valueBytes)
        add("changes on the wire", changesOnWire, changes, beside: nil)
        return [times, sizes]
    }
}

extension [[ChangeRun]] {
    /// The bytes of all runs.
    var byteCount: Int { reduce(0) { $0 + $1.reduce(0) { $0 + $1.byteCount } } }
}
