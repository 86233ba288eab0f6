// The exchange of two real daemons over TLS on loopback, measured.

import ArgumentParser

/// Measures the exchange of two daemons.
struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "Measures how fast two daemons exchange changes.",
        discussion: """
            Starts two daemons of this build on loopback, in a temporary folder. Everything that is measured is durable \
            on the node in question, and both end with equal digests, or the measurement fails. Beside each figure \
            stands what a bare TLS connection takes for as many bytes, and a plain database for as many rows.
            """)

    @Option(help: "Records that a freshly joined node catches up with.")
    var records = 10_000

    @Option(help: "Changes of one field each, written while the two are apart.")
    var edits = 2000

    @Option(help: "Changes that are written one at a time.")
    var changes = 200

    @Option(help: "Changes on each side during an absence.")
    var absent = 100

    @Option(help: "Records that both sides change in different fields during the absence.")
    var both = 10

    @Option(help: "MiB of a file that is attached.")
    var file = 64

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...1_000_000).contains(records), (1...1_000_000).contains(edits),
            (1...100_000).contains(changes), (1...100_000).contains(absent), (0...absent).contains(both),
            (1...4096).contains(file)
        else {
            throw ValidationError(
                "There is at least one of everything, at most a million records and edits, 100,000 changes, 4,096 MiB."
            )
        }
    }

    func run() async throws {
        let sizes = SyncSizes(
            records: records, edits: edits, changes: changes, absent: absent, both: both,
            fileBytes: file << 20)
        let found = try await SyncMeter(sizes).measure()
        try output.print(
            found,
            [
                SyncReport.bulk(found), SyncReport.single(found.single), SyncReport.absence(found.absence),
                SyncReport.file(found.file),
            ])
        guard found.absence.lostValues == 0, found.absence.falseConflicts == 0 else {
            throw BenchError("something was lost, or is shown in conflict without being so")
        }
    }
}

/// What was measured, for people.
enum SyncReport {
    /// Many changes at once.
    static func bulk(_ found: SyncMeasurement) -> BenchTable {
        var table = BenchTable(
            "Two daemons over TLS on loopback, many changes at once", "", "written", "on the other node",
            "rate",
            "frames", "of values", "bare TLS", "plain SQLite")
        func add(_ name: String, _ bulk: SyncMeasurement.Bulk) {
            table.add(
                "\(Figure.count(bulk.count)) \(name)", Figure.time(bulk.writtenMilliseconds),
                Figure.time(bulk.milliseconds), Figure.rate(bulk.count, bulk.milliseconds),
                "\(Figure.count(bulk.frameBytes)) B",
                Figure.ratio(Double(bulk.frameBytes), Double(bulk.valueBytes)),
                Figure.time(bulk.bareTLSMilliseconds), Figure.time(bulk.plainSQLiteMilliseconds))
        }
        add("contacts to a freshly joined node", found.catchUp)
        add("changes of one field", found.edits)
        table.note(
            "Times until all is durable. Frames: both directions, without TLS; of values: as a multiple of them."
        )
        return table
    }

    /// One change at a time.
    static func single(_ found: SyncMeasurement.Single) -> BenchTable {
        var table = BenchTable(
            "One change at a time, in turns", "", "least", "median", "95 %", "greatest")
        func add(_ name: String, _ times: Distribution) {
            table.add(
                name, Figure.time(times.minimum), Figure.time(times.median), Figure.time(times.percentile95),
                Figure.time(times.maximum))
        }
        add("visible and durable on the other node", found.visible)
        add("answered by the writing node", found.answered)
        add("bare: a durable commit on this disk", found.durableCommit)
        add("bare: a TLS round trip of 200 bytes", found.bareTLSRoundTrip)
        table.note(
            "\(Figure.count(found.visible.count)) changes; \(Figure.number(found.frameBytes, 0)) bytes of frames each, "
                + "both directions together, without TLS.")
        return table
    }

    /// After an absence.
    static func absence(_ found: SyncMeasurement.Absence) -> BenchTable {
        var table = BenchTable(
            "After an absence: \(Figure.count(found.changesOnEachSide)) changes on each side, "
                + "\(found.recordsChangedByBoth) records changed by both", "until both hold all", "frames",
            "lost values",
            "false conflicts", "bare TLS", "plain SQLite")
        table.add(
            Figure.time(found.milliseconds), "\(Figure.count(found.frameBytes)) B", "\(found.lostValues)",
            "\(found.falseConflicts)", Figure.time(found.bareTLSMilliseconds),
            Figure.time(found.plainSQLiteMilliseconds))
        return table
    }

    /// The file of an attachment.
    static func file(_ found: SyncMeasurement.File) -> BenchTable {
        var table = BenchTable("An attachment of \(Figure.mebibytes(found.bytes))", "", "time", "throughput")
        func add(_ name: String, _ milliseconds: Double) {
            table.add(name, Figure.time(milliseconds), Figure.throughput(found.bytes, milliseconds))
        }
        add("attached on one node, hashed and durable", found.attachedMilliseconds)
        add("fetched by the other node, verified and durable", found.fetchedMilliseconds)
        add("bare: as many bytes over TLS", found.bareTLSMilliseconds)
        add("bare: hashed and written to a file, with fsync", found.plainFileMilliseconds)
        return table
    }
}
