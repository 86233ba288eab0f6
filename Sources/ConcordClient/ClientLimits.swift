// What the client allows itself and the daemon, in one place.

import ConcordModel

/// The limits of the client of the local API.
public enum ClientLimits {
    /// Bytes of a response's body; a longer one is refused.
    public static let responseBytes = 64 << 20
    /// Bytes of a file that is read for an import, an invite or a certificate.
    public static let fileBytes = 64 << 20
    /// Bytes of a file that is read for the text of a document: the longest text, and a byte order mark.
    public static let textFileBytes = 4 * Limits.textScalars + 3
    /// How long most requests may take.
    public static let timeout = Duration.seconds(30)
    /// How long the status may take, after which the node's files are read instead.
    public static let statusTimeout = Duration.seconds(10)
    /// How long reading and writing a text may take: the history of a long one is worked through.
    public static let textTimeout = Duration.seconds(300)
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
