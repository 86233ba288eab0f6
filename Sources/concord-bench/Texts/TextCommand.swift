// Replays editing histories and prints what they took.

import ArgumentParser
import Foundation

/// Measures editing histories.
struct TextCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "text", abstract: "Replays editing histories and prints how long it took.",
        discussion: """
            A history is a JSON file, or one compressed by gzip, in the format of josephg/editing-traces: sequential \
            or concurrent. Fails if one does not end in the text that the file names.
            """)

    @Argument(help: ArgumentHelp("The histories.", valueName: "trace"), completion: .file())
    var traces: [String]

    @Option(help: "How often each step is run; the fastest and the middle one count.")
    var runs = 5

    @Flag(help: "Print one JSON document.")
    var json = false

    func validate() throws {
        guard runs > 0 else { throw ValidationError("--runs is at least 1") }
    }

    func run() throws {
        var measurements: [TextMeasurement] = []
        for path in traces {
            let trace = try TraceFile.read(path, as: EditingTrace.self)
            let measurement = try TextMeasurement(TraceFile.name(path), trace, runs: runs)
            measurements.append(measurement)
            if !json { print(TextReport.table(measurement), terminator: "\n\n") }
        }
        guard json else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        print(String(decoding: try encoder.encode(measurements), as: UTF8.self))
    }
}

/// What was measured, for people.
enum TextReport {
    /// One history's numbers in rows.
    static func table(_ found: TextMeasurement) -> String {
        var rows = [
            ("events", Figure.count(found.events)), ("edits", Figure.count(found.edits)),
        ]
        if let local = found.local, let each = found.localMicrosecondsPerEdit {
            rows.append(("local edits, one by one", timing(local) + ", \(Figure.number(each, 3)) µs each"))
        }
        rows += [
            ("merge from the encoded history", timing(found.merge)),
            ("receive all edits", timing(found.receive)),
            ("encode", timing(found.encode)), ("decode", timing(found.decode)),
            (
                "encoded",
                "\(Figure.count(found.encodedBytes)) bytes, \(Figure.count(found.insertedBytes)) of them inserted text"
            ),
            ("open the stored text", timing(found.open) + ", \(Figure.count(found.textBytes)) bytes"),
            ("memory to merge", "\(Figure.number(Double(found.mergeMemoryBytes) / 1_048_576, 1)) MiB"),
        ]
        let width = rows.map(\.0.count).max() ?? 0
        let lines = rows.map { "  " + $0.0.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.1 }
        let note = found.note.map { ["  Note: " + $0 + "."] } ?? []
        return ([found.trace] + lines + note).joined(separator: "\n")
    }

    private static func timing(_ timing: Timing) -> String {
        "\(Figure.number(timing.minimum, 3)) ms (median \(Figure.number(timing.median, 3)))"
    }
}
