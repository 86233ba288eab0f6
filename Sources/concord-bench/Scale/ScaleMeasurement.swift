// What is measured at each size.

import ConcordModel
import ConcordStore
import Foundation

/// How costs grow. Times in milliseconds.
struct ScaleMeasurement: Encodable {
    let changes: [Size]
    let replicas: [Spread]

    /// A replica that holds so many changes.
    struct Size: Encodable {
        let changes: Int
        let databaseBytes: Int
        /// For each change since the size before, taken in from elsewhere.
        let mergeMicroseconds: Double
        /// One change, written and durable: the median.
        let write: Double
        /// What a peer lacks that missed the last 100 changes, cut from the log.
        let serve: Double
        let digest: Double
        /// Opening the replica anew.
        let open: Double
    }

    /// A space in which so many replicas write.
    struct Spread: Encodable {
        let replicas: Int
        /// One change that depends on one of each replica.
        let write: Double
        /// One change after it, with nothing new to depend on: the median.
        let writeAgain: Double
        /// Taking in one change of each replica, for each.
        let mergeMicroseconds: Double
        /// What is held, in short, and what a peer's heads mean.
        let compare: Double
    }

    // MARK: Changes

    /// Grows a replica.
    static func changes(upTo largest: Int) async throws -> [Size] {
        let shared = try BenchSpace()
        let author = try await BenchReplica(shared, member: 0)
        let reader = try await BenchReplica(shared, member: 1)
        var contacts = BenchContacts()
        var sizes: [Size] = []
        var (held, ids): (Int, [RecordID]) = (0, [])
        for size in Set(powers(from: 1000, upTo: largest) + [largest]).sorted() {
            var merging = 0.0
            let before = held
            while held < size {
                let count = min(5000, (size - held + 1) / 2)
                let known = (try author.store.held(author.space).vector, try author.position)
                let new = try await author.write(contacts.next(count).map(BenchContacts.draft))
                ids += new
                _ = try await author.write(new.map { [phone($0)] })
                let frames = try author.frames(after: known.1, excluding: known.0)
                merging += try await milliseconds { try await reader.receive(frames) }
                held += 2 * count
            }
            sizes.append(try await measure(reader, author, held, ids, merging * 1000 / Double(held - before)))
        }
        return sizes
    }

    private static func measure(
        _ reader: BenchReplica, _ author: BenchReplica, _ held: Int, _ ids: [RecordID], _ merge: Double
    ) async throws -> Size {
        var writes: [Double] = []
        for number in 0..<100 {
            let record = ids[number * (ids.count - 1) / 100]
            writes.append(try await milliseconds { _ = try await author.write([[phone(record)]]) })
        }
        let known = try reader.store.held(reader.space).vector
        var frames: [[ChangeRun]] = []
        let serve = try await milliseconds { frames = try author.frames(excluding: known) }
        try await reader.receive(frames)
        let digest = try await milliseconds { _ = try await reader.store.digest(reader.space) }
        let bytes = try reader.databaseBytes()
        return Size(
            changes: held, databaseBytes: bytes, mergeMicroseconds: merge,
            write: Distribution(writes).median, serve: serve, digest: digest, open: try reader.reopen())
    }

    // MARK: Replicas

    /// Lets more and more nodes write in one space.
    static func replicas(upTo largest: Int) async throws -> [Spread] {
        var spreads: [Spread] = []
        for count in [3, 10, 50, 200, 1000].filter({ $0 < largest }) + [largest] {
            let shared = try BenchSpace()
            let author = try await BenchReplica(shared, member: 0)
            let reader = try await BenchReplica(shared, member: 1)
            var contacts = BenchContacts()
            for number in 0..<count {
                let node = try shared.node("node-\(number)", of: 0)
                _ = try await author.write(contacts.next(1).map(BenchContacts.draft), by: node)
            }
            let frames = try author.frames()
            let merging = try await milliseconds { try await reader.receive(frames) }
            let first = try await milliseconds {
                _ = try await reader.write(contacts.next(1).map(BenchContacts.draft))
            }
            var again: [Double] = []
            for _ in 0..<50 {
                let draft = contacts.next(1).map(BenchContacts.draft)
                again.append(try await milliseconds { _ = try await reader.write(draft) })
            }
            let compare = try await milliseconds {
                let heads = try reader.store.held(reader.space).heads
                _ = try await author.store.compare(heads, in: author.space)
            }
            spreads.append(
                Spread(
                    replicas: count, write: first, writeAgain: Distribution(again).median,
                    mergeMicroseconds: merging * 1000 / Double(count), compare: compare))
        }
        return spreads
    }

    // MARK: Parts

    private static func phone(_ record: RecordID) -> RecordEdit {
        .update(record, [.set("phone", .text("+264 61 282 9111"))])
    }

    private static func powers(from first: Int, upTo last: Int) -> [Int] {
        Array(sequence(first: first) { $0 * 10 <= last ? $0 * 10 : nil })
    }

    private static func milliseconds(_ body: () async throws -> Void) async rethrows -> Double {
        try await Stopwatch.measureAsync(body).milliseconds
    }
}

extension ScaleMeasurement {
    static func table(_ sizes: [Size]) -> BenchTable {
        var table = BenchTable(
            "Growth with the changes held", "changes", "merge, each", "a write", "100 missed", "digest",
            "open",
            "database")
        for size in sizes {
            table.add(
                Figure.count(size.changes), "\(Figure.number(size.mergeMicroseconds, 1)) µs",
                Figure.time(size.write), Figure.time(size.serve), Figure.time(size.digest),
                Figure.time(size.open), Figure.mebibytes(size.databaseBytes))
        }
        return table
    }

    static func table(_ spreads: [Spread]) -> BenchTable {
        var table = BenchTable(
            "Growth with the replicas, each of one change", "replicas", "merge, each", "a write after all",
            "the next one", "compare")
        for spread in spreads {
            table.add(
                "\(spread.replicas)", "\(Figure.number(spread.mergeMicroseconds, 0)) µs",
                Figure.time(spread.write), Figure.time(spread.writeAgain), Figure.time(spread.compare))
        }
        return table
    }
}
