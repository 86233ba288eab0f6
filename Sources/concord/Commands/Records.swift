// The commands that every kind of record has: add, list, show, set, remove, restore. One generic type each;
// what differs between the kinds is in the vocabulary.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordModel

/// A kind of record with its own command family.
protocol RecordKind {
    /// As stored.
    static var kind: String { get }
    /// As people say it.
    static var word: String { get }
    /// The family's name.
    static var family: String { get }
}

extension CommonOptions {
    /// A record that must be of this kind, by a prefix of its id.
    ///
    /// - Throws: ``ConcordError`` E-1004 if it is of another.
    func record(_ id: String, kind: String?) async throws -> Answer<RecordDetailDocument> {
        let answer = try await daemon.record(id)
        let record = answer.document.record
        guard kind == nil || record.kind == kind else {
            throw ConcordError(
                .unknownRecord, "\(record.id) is of kind \(record.kind), not \(kind ?? "")",
                action: "use the commands for that kind")
        }
        return answer
    }

    /// Fields as typed, with the ids of records that they refer to written in full.
    func assignments(_ typed: [String], kind: String) async throws -> FieldAssignments {
        var fields = try FieldAssignments(parsing: typed, kind: kind)
        for description in Vocabulary.kind(UTF8Text(kind))?.fields ?? [] where description.form == .record {
            let name = description.name.string
            if let value = fields.set[name] { fields.set[name] = try await reference(value) }
            for (index, value) in (fields.add[name] ?? []).enumerated() {
                fields.add[name]?[index] = try await reference(value)
            }
            for (index, value) in (fields.remove[name] ?? []).enumerated() {
                fields.remove[name]?[index] = try await reference(value)
            }
        }
        return fields
    }

    private func reference(_ value: JSONValue) async throws -> JSONValue {
        guard case .string(let text) = value, !text.isEmpty, RecordID(text: text) == nil else { return value }
        return .string(try await daemon.record(text).document.record.id)
    }
}

/// `KIND add field=value…`
struct AddRecord<Kind: RecordKind>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "add", abstract: "Add a \(Kind.word); prints its id.")
    }

    @Argument(help: "field=value, or field+=element for sets.") var fields: [String]
    @OptionGroup var space: SpaceOption
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let fields = try await common.assignments(fields, kind: Kind.kind)
        let answer = try await common.daemon.create(kind: Kind.kind, space: space.name, parent: nil, fields)
        common.output.answer(answer) { [TerminalText.escaped($0.id)] }
    }
}

/// `KIND list`
struct ListRecords<Kind: RecordKind>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "list", abstract: "List every \(Kind.word).")
    }

    @Option(help: ArgumentHelp("Only those that this member created.", valueName: "code")) var member: String?
    @Option(
        name: .customLong("where"),
        help: ArgumentHelp("Only those with this value; repeatable.", valueName: "field=value"))
    var conditions: [String] = []
    @OptionGroup var space: SpaceOption
    @Flag(help: "List deleted ones too.") var deleted = false
    @OptionGroup var common: CommonOptions

    func validate() throws {
        for condition in conditions where !condition.contains("=") || condition.hasPrefix("=") {
            throw ValidationError("--where takes field=value, not “\(condition)”")
        }
    }

    func run() async throws {
        let output = common.output
        let filter = RecordFilter(
            kind: Kind.kind, space: space.name, member: member, conditions: conditions,
            includesDeleted: deleted)
        output.answer(try await common.daemon.records(filter)) {
            RecordView(style: output.style).table($0.records, kind: Kind.kind)
        }
    }
}

/// `KIND show ID`
struct ShowRecord<Kind: RecordKind>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "show",
            abstract: "Show the fields of a \(Kind.word), its conflicts, and what is below it.")
    }

    @Argument(help: "The id or a unique prefix of it.") var id: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let output = common.output
        output.answer(try await common.record(id, kind: Kind.kind)) {
            RecordView(style: output.style).lines($0)
        }
    }
}

/// `KIND set ID field=value…`
struct SetRecord<Kind: RecordKind>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "set", abstract: "Change fields of a \(Kind.word).")
    }

    @Argument(help: "The id or a unique prefix of it.") var id: String
    @Argument(help: "field=value, field= to clear, field+=element, field-=element.") var fields: [String]
    @Option(help: "Refuse if the record is no longer of this version, as `show` prints it.") var base: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let fields = try await common.assignments(fields, kind: Kind.kind)
        let record = try await common.record(id, kind: Kind.kind).document.record
        common.output.answer(try await common.daemon.update(record.id, fields, base: base)) {
            [Confirmation.line("changed", $0)]
        }
    }
}

/// `KIND remove ID`
struct RemoveRecord<Kind: RecordKind>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "remove", abstract: "Delete a \(Kind.word) and what is below it.")
    }

    @Argument(help: "The id or a unique prefix of it.") var id: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let record = try await common.record(id, kind: Kind.kind).document.record
        common.output.answer(try await common.daemon.delete(record.id)) { [Confirmation.line("deleted", $0)] }
    }
}

/// `KIND restore ID`
struct RestoreRecord<Kind: RecordKind>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "restore", abstract: "Take back the deletion of a \(Kind.word).")
    }

    @Argument(help: "The id or a unique prefix of it.") var id: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let record = try await common.record(id, kind: Kind.kind).document.record
        common.output.answer(try await common.daemon.restore(record.id)) {
            [Confirmation.line("restored", $0)]
        }
    }
}

/// `KIND erase ID --reason TEXT`
struct EraseRecord<Kind: RecordKind>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "erase",
            abstract: "Erase for good what your member wrote to a \(Kind.word), here and on every node.",
            discussion: """
                The values go from the log, from the search index and from the files; the fact that something was \
                erased, when, by whom and why, stays. It cannot be taken back. Copies that were made before, such as \
                backups, still hold the values.
                """)
    }

    @Argument(help: "The id or a unique prefix of it; deleted ones are found too.") var id: String
    @Option(help: "Why, for people; it stays in the log.") var reason: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let record = try await common.record(id, kind: Kind.kind).document.record
        common.output.answer(try await common.daemon.erase(record.id, reason: reason)) { erased in
            var lines = [
                TerminalText.escaped("erased: \(record.title) · \(record.id) · by change \(erased.change)")
            ]
            if !erased.isSwept {
                lines.append(
                    "Somebody is still reading an older state of the database; the daemon clears the last of it "
                        + "by itself when that has ended.")
            }
            return lines
        }
    }
}

/// What is said when a record was changed.
enum Confirmation {
    static func line(_ verb: String, _ record: RecordDocument) -> String {
        TerminalText.escaped("\(verb): \(record.title) · \(record.id) · version \(record.version)")
    }
}
