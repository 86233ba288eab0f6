// How an event of the log looks as text: one line, never more, whatever a peer put into a name or a message.

import ConcordAPI
import Logging

/// How the log is written.
public enum LogFormat: String, CaseIterable, Hashable, Sendable {
    /// `time=… level=… message="…" key=value …`
    case logfmt
    /// One JSON object a line.
    case json

    /// One event as a line that ends in a line feed. `fields` are written in ascending order of their names.
    func line(
        milliseconds: Int64, level: Logger.Level, source: String, message: String, fields: [String: String]
    )
        -> String
    {
        var pairs = [
            ("time", Timestamp.text(milliseconds: milliseconds)), ("level", level.rawValue), ("part", source),
            ("message", message),
        ]
        let taken = Set(pairs.map(\.0))
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            pairs.append((taken.contains(name) ? "\(name)_" : name, value))
        }
        switch self {
        case .logfmt:
            return pairs.map { "\(Self.key($0.0))=\(Self.value($0.1))" }.joined(separator: " ") + "\n"
        case .json:
            let members = pairs.map { "\(Self.quoted($0.0)):\(Self.quoted($0.1))" }
            return "{\(members.joined(separator: ","))}\n"
        }
    }

    private static func key(_ text: String) -> String {
        String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "_" })
    }

    private static func value(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy {
                $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=")
                    && $0 != UInt8(ascii: "\\")
            }
        return isPlain ? text : quoted(text)
    }

    /// A JSON string, with everything escaped that could end a line or steer a terminal.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || isSteering(scalar) {
                    let digits = String(scalar.value, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }

    // Line and paragraph separators, and the marks that turn the direction of writing.
    private static func isSteering(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x2028, 0x2029, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
