// Which space a command means. Where several are held, a person who works in one of them sets $CONCORD_SPACE once.

import ArgumentParser

/// `--space`.
struct SpaceOption: ParsableArguments {
    @Option(
        name: .customLong("space"),
        help: ArgumentHelp(
            "The space: its name, id or a prefix of the id (default: $CONCORD_SPACE).", valueName: "space"))
    var typed: String?

    /// What was typed, or stands in the environment; nil if neither.
    var name: String? {
        if let typed { return typed }
        let name = Caller.environment["CONCORD_SPACE"]
        return name?.isEmpty == false ? name : nil
    }
}
