// Colour and wide lines, for people who look at a terminal and nobody else.

/// How words are set off, and how long lines may be.
public struct TextStyle: Hashable, Sendable {
    /// Whether escape sequences for colour are written.
    public let usesColor: Bool
    /// How many columns a line may take.
    public let columns: Int

    /// Text without colour.
    public static let plain = TextStyle(usesColor: false)

    /// A style that writes colour or does not.
    public init(usesColor: Bool, columns: Int = ClientLimits.columns) {
        self.usesColor = usesColor
        self.columns = columns
    }

    /// Colour only on a terminal, never where `NO_COLOR` is set (https://no-color.org) or the terminal is
    /// dumb. Lines are as long as on paper, on a wider terminal as long as that: `COLUMNS`, else
    /// `terminalColumns`, which is what the terminal says itself.
    public init(isTerminal: Bool, environment: [String: String], terminalColumns: Int? = nil) {
        usesColor = isTerminal && environment["NO_COLOR"] == nil && environment["TERM"] != "dumb"
        let wide = isTerminal ? environment["COLUMNS"].flatMap { Int($0) } ?? terminalColumns : nil
        columns = min(max(wide ?? 0, ClientLimits.columns), ClientLimits.widestColumns)
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
