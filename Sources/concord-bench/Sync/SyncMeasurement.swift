// What is measured of the exchange of two daemons, step after step with the same two, each step beside what a bare TLS
// connection and a plain database take for the same bytes and rows in the same run.

import ConcordModel
import Foundation

/// How large the steps are.
struct SyncSizes: Encodable {
    var records: Int
    var edits: Int
    var changes: Int
    var absent: Int
    var both: Int
    /// Bytes of the file that is attached.
    var fileBytes: Int
}

/// What was measured.
struct SyncMeasurement: Encodable {
    /// A step that moves many changes, beside its references.
    struct Bulk: Encodable {
        let count: Int
        /// Bytes of the values.
        let valueBytes: Int
        /// From the request to write until all was durable on the writing node.
        let writtenMilliseconds: Double
        /// From the moment when the two could exchange until all was durable on the other node.
        let milliseconds: Double
        /// Bytes of frames in both directions, without TLS.
        let frameBytes: Int
        /// As many bytes over a bare TLS connection.
        let bareTLSMilliseconds: Double
        /// The same rows in a plain database.
        let plainSQLiteMilliseconds: Double
    }

    /// One change at a time.
    struct Single: Encodable {
        /// From the request until it was visible and durable on the other node.
        let visible: Distribution
        /// From the request until the writing node had answered.
        let answered: Distribution
        /// Bytes of frames in both directions, of one change on average.
        let frameBytes: Double
        /// One durable commit of one row in a plain database.
        let durableCommit: Distribution
        /// A message of 200 bytes over a bare TLS connection and back.
        let bareTLSRoundTrip: Distribution
    }

    /// Changes on both sides while there was no connection.
    struct Absence: Encodable {
        let changesOnEachSide: Int
        let recordsChangedByBoth: Int
        /// From the moment when the two could connect until both held everything.
        let milliseconds: Double
        let frameBytes: Int
        /// Values that are not there on both nodes.
        let lostValues: Int
        /// Records that are shown in conflict.
        let falseConflicts: Int
        /// A handshake and as many bytes over a bare TLS connection.
        let bareTLSMilliseconds: Double
        /// As many rows in a plain database, in one transaction.
        let plainSQLiteMilliseconds: Double
    }

    /// The file of an attachment.
    struct File: Encodable {
        let bytes: Int
        /// From the request until the writing node had it, hashed and durable.
        let attachedMilliseconds: Double
        /// From the request to fetch it until the other node had it, verified and durable.
        let fetchedMilliseconds: Double
        /// As many bytes over a bare TLS connection.
        let bareTLSMilliseconds: Double
        /// As many bytes hashed and written to a file, with fsync.
        let plainFileMilliseconds: Double
    }

    let sizes: SyncSizes
    /// A node that joins and holds nothing yet.
    let catchUp: Bulk
    /// Changes of one field each.
    let edits: Bulk
    let single: Single
    let absence: Absence
    let file: File
}

/// Makes the measurement.
struct SyncMeter {
    let sizes: SyncSizes
    let scene: SyncScene
    private let plain: PlainSQLite

    init(_ sizes: SyncSizes) async throws {
        self.sizes = sizes
        let network = try BenchNetwork()
        plain = try PlainSQLite(folder: network.folder)
        scene = try await SyncScene(network: network)
    }

    /// All steps.
    func measure() async throws -> SyncMeasurement {
        var contacts = SampleContacts()
        let rows = contacts.next(sizes.records)
        let written = try await scene.madrid.importRecords("contact", rows)
        let catchUp = try await catchUp(rows, written)
        let edits = try await edits(written.ids)
        let single = try await single()
        let absence = try await absence()
        let file = try await file()
        try await scene.madrid.stop()
        try await scene.berlin.stop()
        return SyncMeasurement(
            sizes: sizes, catchUp: catchUp, edits: edits, single: single, absence: absence, file: file)
    }

    private func catchUp(_ rows: [[String: String]], _ written: WrittenRecords) async throws
        -> SyncMeasurement.Bulk
    {
        let milliseconds = try await scene.join()
        let bytes = try await scene.frameBytes()
        return SyncMeasurement.Bulk(
            count: rows.count, valueBytes: written.valueBytes, writtenMilliseconds: written.milliseconds,
            milliseconds: milliseconds, frameBytes: bytes,
            bareTLSMilliseconds: try await BareTLS.transfer(bytes: bytes).milliseconds,
            plainSQLiteMilliseconds: try plain.insert(rows))
    }

    private func edits(_ records: [RecordID]) async throws -> SyncMeasurement.Bulk {
        let value: @Sendable (Int) -> String = { "Director of unit \($0 % 97), since \(2000 + $0 % 26)" }
        try await scene.separate()
        let before = try await scene.frameBytes()
        let chosen = (0..<sizes.edits).map { records[$0 % records.count] }
        let written = try await scene.madrid.client.set("position", of: chosen, to: value)
        let milliseconds = try await scene.reunite()
        let bytes = try await scene.frameBytes() - before
        return SyncMeasurement.Bulk(
            count: sizes.edits, valueBytes: (0..<sizes.edits).reduce(0) { $0 + value($1).utf8.count },
            writtenMilliseconds: written, milliseconds: milliseconds, frameBytes: bytes,
            bareTLSMilliseconds: try await BareTLS.transfer(bytes: bytes).milliseconds,
            plainSQLiteMilliseconds: try plain.update(min(sizes.edits, sizes.records)))
    }

    /// One node writes, and then the other, each as soon as the change before is everywhere.
    private func single() async throws -> SyncMeasurement.Single {
        let meetings = try await scene.madrid.importRecords("meeting", [["title": "Annual meeting"]])
        try await scene.verify()
        let meeting = meetings.ids[0]
        let watches = [try ReplicaWatch(scene.madrid), try ReplicaWatch(scene.berlin)]
        let nodes = [scene.madrid, scene.berlin]
        let before = try await scene.frameBytes()
        var contacts = SampleContacts(seed: 2)
        var (visible, answered, commits): ([Double], [Double], [Double]) = ([], [], [])
        for number in 0..<sizes.changes {
            let value = "Room \(number), second floor"
            let writer = nodes[number % 2]
            let client = writer.client
            let start = ContinuousClock.now
            let answer = Task {
                try await client.set("venue", of: meeting, to: value)
                return start.milliseconds
            }
            let watch = watches[(number + 1) % 2]
            visible.append(
                try watch.wait("change \(number) is visible", since: start) {
                    try watch.value(of: "venue", in: meeting) == value
                })
            answered.append(try await answer.value)
            commits.append(try plain.commit(contacts.next()))
        }
        try await scene.verify()
        let bytes = try await scene.frameBytes() - before
        return SyncMeasurement.Single(
            visible: Distribution(visible), answered: Distribution(answered),
            frameBytes: Double(bytes) / Double(max(1, sizes.changes)), durableCommit: Distribution(commits),
            bareTLSRoundTrip: try await BareTLS.roundTrips(sizes.changes, bytes: 200))
    }

    private func absence() async throws -> SyncMeasurement.Absence {
        let count = 2 * sizes.absent - sizes.both
        let meetings = try await scene.madrid.importRecords(
            "meeting", (0..<count).map { ["title": "Meeting \($0)", "starts": "2026-10-\(10 + $0 % 20)"] }
        ).ids
        try await scene.verify()
        try await scene.separate()
        let before = try await scene.frameBytes()
        let ours = Array(meetings.prefix(sizes.absent))
        let theirs = Array(meetings.suffix(sizes.absent))
        _ = try await scene.madrid.client.set("city", of: ours) { "City of number \($0)" }
        _ = try await scene.berlin.client.set("venue", of: theirs) { "Hall of number \($0)" }
        let milliseconds = try await scene.reunite()
        let bytes = try await scene.frameBytes() - before
        var lost = 0
        for node in [scene.madrid, scene.berlin] {
            let watch = try ReplicaWatch(node)
            for (number, record) in ours.enumerated()
            where try watch.value(of: "city", in: record) != "City of number \(number)" { lost += 1 }
            for (number, record) in theirs.enumerated()
            where try watch.value(of: "venue", in: record) != "Hall of number \(number)" { lost += 1 }
        }
        var contacts = SampleContacts(seed: 3)
        let bare = try await BareTLS.transfer(bytes: bytes)
        return SyncMeasurement.Absence(
            changesOnEachSide: sizes.absent, recordsChangedByBoth: sizes.both, milliseconds: milliseconds,
            frameBytes: bytes, lostValues: lost,
            falseConflicts: try await scene.berlin.client.conflicts().document.records.count,
            bareTLSMilliseconds: bare.handshake + bare.milliseconds,
            plainSQLiteMilliseconds: try plain.insert(contacts.next(2 * sizes.absent)))
    }
}
