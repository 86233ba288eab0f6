// What the client allows itself and the daemon, in one place.

/// The limits of the client of the local API.
public enum ClientLimits {
    /// Bytes of a response's body; a longer one is refused.
    public static let responseBytes = 64 << 20
    /// Bytes of a file that is read for an import, an invite, a certificate or the text of a document.
    public static let fileBytes = 64 << 20
    /// How long most requests may take.
    public static let timeout = Duration.seconds(30)
    /// How long the status may take, after which the node's files are read instead.
    public static let statusTimeout = Duration.seconds(10)
    /// How long verifying, backing up and importing may take.
    public static let longTimeout = Duration.seconds(3600)
    /// How often `wait` asks the daemon.
    public static let pollInterval = Duration.milliseconds(100)
    /// How often `status --watch` redraws.
    public static let watchInterval = Duration.seconds(2)
    /// Columns of everything that is printed for people, unless a terminal is wider.
    public static let columns = 100
    /// Columns that are used of a wider terminal.
    public static let widestColumns = 400
    /// Rows of the table of peers unless all are asked for.
    public static let statusRows = 12
}
