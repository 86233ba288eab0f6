// Colour, for people who look at a terminal and nobody else.

/// How words are set off.
public struct TextStyle: Hashable, Sendable {
    /// Whether escape sequences for colour are written.
    public let usesColor: Bool

    /// Text without colour.
    public static let plain = TextStyle(usesColor: false)

    /// A style that writes colour or does not.
    public init(usesColor: Bool) { self.usesColor = usesColor }

    /// Colour only on a terminal, never where `NO_COLOR` is set (https://no-color.org) or the terminal is
    /// dumb.
    public init(isTerminal: Bool, environment: [String: String]) {
        usesColor = isTerminal && environment["NO_COLOR"] == nil && environment["TERM"] != "dumb"
    }

    /// What is wrong.
    public func bad(_ text: String) -> String { colored(text, "31;1") }
    /// What should be looked at.
    public func warning(_ text: String) -> String { colored(text, "33") }
    /// What is as it should be.
    public func good(_ text: String) -> String { colored(text, "32") }
    /// Headings.
    public func strong(_ text: String) -> String { colored(text, "1") }
    /// What matters less.
    public func faint(_ text: String) -> String { colored(text, "2") }

    private func colored(_ text: String, _ code: String) -> String {
        usesColor && !text.isEmpty ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
