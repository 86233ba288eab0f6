// `concord search`, `concord log` and `concord import`.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordModel
import ConcordNode

/// Searches all text.
struct Search: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Find records by the words in them.")
    @Argument(help: "The words; all must occur.") var words: [String]
    @Option(help: "Only records of this kind.") var kind: String?
    @OptionGroup var space: SpaceOption
    @Option(help: ArgumentHelp("How many at most.", valueName: "number")) var limit = 20
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let output = common.output
        let text = words.joined(separator: " ")
        let answer = try await common.daemon.search(
            text, kind: kind, space: space.name, limit: max(1, limit))
        output.answer(answer) { SearchView.lines($0, style: output.style) }
    }
}

/// Shows who changed what.
struct Log: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Show who changed what and when, the latest first.")
    @Option(help: ArgumentHelp("Only changes of this record.", valueName: "id")) var record: String?
    @Option(help: ArgumentHelp("Only changes by this member.", valueName: "code")) var member: String?
    @Option(
        help: ArgumentHelp("Only changes of this span, such as 7d or 12h, or since a day.", valueName: "span")
    )
    var since: Since?
    @OptionGroup var space: SpaceOption
    @Option(help: ArgumentHelp("How many at most.", valueName: "number")) var limit = 50
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let output = common.output
        let id: String? =
            if let record { try await common.daemon.record(record).document.record.id } else { nil }
        let answer = try await common.daemon.log(
            record: id, member: member, since: since?.milliseconds(now: WallClock.milliseconds()),
            limit: max(1, limit), space: space.name)
        output.answer(answer) { LogView.lines($0, style: output.style) }
    }
}

/// A point in time as typed: a span back from now, or a day in UTC.
enum Since: ExpressibleByArgument {
    case span(TypedSpan)
    case moment(Int64)

    init?(argument: String) {
        if let span = TypedSpan(argument) {
            self = .span(span)
        } else if let moment = Timestamp.milliseconds(text: argument)
            ?? Timestamp.milliseconds(text: argument + "T00:00:00Z")
        {
            self = .moment(moment)
        } else {
            return nil
        }
    }

    func milliseconds(now: Int64) -> Int64 {
        switch self {
        case .span(let span): max(0, now - span.milliseconds)
        case .moment(let moment): moment
        }
    }
}

/// Imports records.
struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Import records from JSON lines.",
        discussion: """
            Each line is {"kind": …, "key": …, "parent": …, "fields": {field: value}}. A key names a record \
            within the file, so that parents and {"ref": key} can refer to it; a parent comes before what \
            is below it.
            """)
    @Argument(help: "The file; - is standard input.") var file: String
    @OptionGroup var space: SpaceOption
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let bytes = try LocalFile.read(file)
        common.output.answer(try await common.daemon.importLines(bytes, space: space.name)) { imported in
            [
                "Imported \(Quantity.plural(imported.records, "record", "records")) in "
                    + "\(Quantity.plural(imported.changes, "change", "changes"))."
            ]
        }
    }
}
