// The log of the daemon: events with structure, on standard error, where systemd and containers pick them up.
// The metadata key `code` carries the stable code of an error.

import ConcordModel
import Glibc
import Logging

/// Sets the process's log up.
public enum LogOutput {
    /// Sends everything that is logged from `level` on to standard error. Called once, before the first
    /// logger is made.
    public static func bootstrap(format: LogFormat, level: Logger.Level) {
        LoggingSystem.bootstrap { label in
            LineLogHandler(label: label, format: format, level: level, clock: WallClock.milliseconds) {
                line in
                writeToStandardError(line)
            }
        }
    }

    /// A line goes out in one call, so that lines of several threads do not mix. A log that nobody takes is
    /// dropped: the daemon's work does not depend on it.
    private static func writeToStandardError(_ line: String) {
        let bytes = Array(line.utf8)
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                write(STDERR_FILENO, $0.baseAddress! + offset, bytes.count - offset)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            offset += count
        }
    }
}

/// Writes each event as one line to `output`.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: LogFormat
    private let clock: @Sendable () -> Int64
    private let output: @Sendable (String) -> Void

    init(
        label: String, format: LogFormat, level: Logger.Level, clock: @escaping @Sendable () -> Int64,
        output: @escaping @Sendable (String) -> Void
    ) {
        self.label = label
        self.format = format
        self.clock = clock
        self.output = output
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        output(
            format.line(
                milliseconds: clock(), level: event.level, source: label, message: event.message.description,
                fields: all.mapValues(\.description)))
    }
}

extension Logger {
    /// Logs a failure with its stable code and next step.
    public func report(_ error: ConcordError, at level: Level = .error, _ metadata: Metadata = [:]) {
        var all = metadata
        all["code"] = .string(error.code.rawValue)
        if let action = error.action { all["next"] = .string(action) }
        log(level: level, "\(error.message)", metadata: all)
    }
}
