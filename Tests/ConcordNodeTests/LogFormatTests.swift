import ConcordModel
import Foundation
import Logging
import Synchronization
import Testing

@testable import ConcordNode

@Suite("Logs")
struct LogFormatTests {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    private func logger(_ format: LogFormat, _ lines: Lines, level: Logger.Level = .info) -> Logger {
        Logger(label: "api") { label in
            LineLogHandler(label: label, format: format, level: level, clock: { testNow }) { line in
                lines.all.withLock { $0.append(line) }
            }
        }
    }

    @Test("logfmt has time, level, part, message, then the fields by name")
    func logfmt() {
        let lines = Lines()
        var logger = logger(.logfmt, lines)
        logger[metadataKey: "space"] = "3f2a"
        logger.info("a space is joined", metadata: ["inviter": "DEU Germany", "empty": ""])
        #expect(
            lines.all.withLock { $0 } == [
                "time=2026-11-22T06:00:00.000Z level=info part=api message=\"a space is joined\" empty=\"\" "
                    + "inviter=\"DEU Germany\" space=3f2a\n"
            ])
    }

    @Test(
        "JSON lines are JSON, whatever is logged",
        arguments: ["plain", "quote \" back \\", "\u{1b}[2J\n\u{2028}é"])
    func json(message: String) throws {
        let lines = Lines()
        logger(.json, lines).warning("\(message)", metadata: ["level": "\(message)"])
        let line = try #require(lines.all.withLock { $0 }.first)
        #expect(line.utf8.filter { $0 == UInt8(ascii: "\n") }.count == 1)
        let object = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
        #expect(object["message"] == message)
        #expect(object["level"] == "warning")
        #expect(object["level_"] == message)
    }

    @Test("no name or message of a peer can end a line or steer a terminal", arguments: LogFormat.allCases)
    func escapes(format: LogFormat) {
        let lines = Lines()
        logger(format, lines).error("\u{1b}[31m\r\nlevel=info\u{202E}\u{85}", metadata: ["na me": "a\nb"])
        let line = lines.all.withLock { $0 }[0].dropLast()
        #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        #expect(!line.unicodeScalars.contains("\u{202E}"))
    }

    @Test("an error carries its code and next step; what is below the level is not written")
    func report() {
        let lines = Lines()
        let logger = logger(.logfmt, lines)
        logger.debug("quiet")
        logger.report(ConcordError(.addressInUse, "127.0.0.1:7443 is taken"))
        let all = lines.all.withLock { $0 }
        #expect(all.count == 1)
        #expect(all[0].contains("code=E-6003"))
        #expect(all[0].contains("next="))
    }
}
