// The environment over the file: what a container or a systemd unit sets for one start.

import ConcordModel

extension Configuration {
    /// Applies the `CONCORD_…` variables of ``Key``; others are not looked at, since `CONCORD_HOME` and what
    /// belongs to the command line share the prefix.
    mutating func apply(environment: [String: String]) throws {
        for key in Key.allCases {
            guard let text = environment[key.variable] else { continue }
            let texts = key.isList ? Self.parts(text) : [text]
            try set(key, to: texts, where: "environment variable \(key.variable)")
        }
    }

    private static func parts(_ text: String) -> [String] {
        text.split(separator: ",").map { part in
            var part = part
            while part.first == " " { part.removeFirst() }
            while part.last == " " { part.removeLast() }
            return String(part)
        }.filter { !$0.isEmpty }
    }
}
