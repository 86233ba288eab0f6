// What the doctor found, for people: the worst first, each finding with the next step.

import ConcordAPI

/// The doctor's findings for people.
public enum DoctorView {
    /// A verdict, the findings, and the operations that the rules refused.
    public static func lines(_ document: DoctorDocument, style: TextStyle = .plain) -> [String] {
        let wrong = document.checks.filter { $0.state != .good && $0.state != .unknown }.count
        var lines = [
            wrong == 0
                ? style.good("Nothing is wrong.")
                : style.warning(wrong == 1 ? "1 thing needs attention." : "\(wrong) things need attention."),
            "",
        ]
        let order: [DoctorDocument.State] = [.integrity, .person, .degraded, .unknown, .good]
        for state in order {
            for check in document.checks where check.state == state { lines += self.lines(check, style) }
        }
        guard !document.refused.isEmpty else { return lines }
        lines += ["", style.strong("REFUSED BY THE RULES")]
        for refused in document.refused {
            let text =
                "\(Moment.minute(refused.at)) UTC  \(refused.member) \(refused.node) (\(refused.author))  "
                + "\(refused.operations.joined(separator: ", ")) on \(refused.record): \(refused.reason)"
            lines += TerminalText.wrapped(TerminalText.escaped(text), to: style.columns - 2).map { "  \($0)" }
        }
        return lines
    }

    private static func lines(_ check: DoctorDocument.Check, _ style: TextStyle) -> [String] {
        let mark =
            switch check.state {
            case .good: style.good("ok")
            case .unknown: " ?"
            case .degraded: style.warning(" ~")
            case .person: style.warning(" !")
            case .integrity: style.bad("!!")
            }
        let code = check.code.map { " (\($0))" } ?? ""
        let action = check.action.map { " → \($0)" } ?? ""
        let label = TerminalText.padded(TerminalText.escaped(check.check), to: 12)
        let text = TerminalText.escaped(check.message + code + action)
        return TerminalText.wrapped(text, to: style.columns - 16).enumerated().map { index, line in
            index == 0 ? "\(mark) \(label) \(line)" : String(repeating: " ", count: 16) + line
        }
    }

    /// 0 nothing is wrong, 4 degraded, 5 a person is needed, 6 an integrity failure.
    public static func exitCode(_ document: DoctorDocument) -> Int32 {
        let states = document.checks.map(\.state)
        if states.contains(.integrity) { return 6 }
        if states.contains(.person) { return 5 }
        return states.contains(.degraded) ? 4 : 0
    }
}
