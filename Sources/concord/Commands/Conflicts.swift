// `concord conflicts` and `concord resolve`: what several members wrote at the same time, and settling it.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordModel

/// Lists the conflicts.
struct Conflicts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conflicts", abstract: "List the fields that hold several concurrent values.")
    @OptionGroup var space: SpaceOption
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let output = common.output
        let id: String? = if let name = space.name { try await common.space(name).id } else { nil }
        output.answer(try await common.daemon.conflicts(space: id)) {
            RecordView(style: output.style).conflicts($0.records)
        }
    }
}

/// Settles a conflict.
struct Resolve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve", abstract: "Settle a conflict with one of its values, or with another.")
    @Argument(help: "The record's id or a unique prefix of it.") var id: String
    @Argument(help: "The field in conflict.") var field: String
    @Option(
        help: ArgumentHelp("The number of a value, as `concord conflicts` shows it.", valueName: "number"))
    var take: Int?
    @Option(parsing: .unconditional, help: "Another value.") var value: String?
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if (take == nil) == (value == nil) { throw ValidationError("Give either --take N or --value V") }
    }

    func run() async throws {
        let record = try await common.daemon.record(id).document.record
        let settlement: ConflictSettlement
        if let take {
            settlement = .take(take)
        } else {
            let form = Vocabulary.kind(UTF8Text(record.kind))?.field(UTF8Text(field))?.form
            let text = value ?? ""
            let number = form == .integer ? Int64(text).map(JSONValue.integer) : nil
            settlement = .value(number ?? .string(text))
        }
        common.output.answer(try await common.daemon.resolve(record.id, field: field, settlement)) {
            [Confirmation.line("settled", $0)]
        }
    }
}
