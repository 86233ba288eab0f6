// Text that peers wrote, made safe for a terminal: nothing in it can move the cursor, change colours, reverse
// the direction of what follows, or forge a line. And the columns that text takes, so that tables stay
// aligned.

/// Escaping and measuring for terminals.
public enum TerminalText {
    /// `text` on one line: control characters, line breaks and invisible format characters as `\n`, `\t` or
    /// `\u{1b}`.
    public static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if isUnsafe(scalar) {
                result.append(contentsOf: escape(scalar).unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    /// The lines of `text`, each escaped; tabs become spaces.
    public static func escapedLines(_ text: String) -> [String] {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { line in
            escaped(line.split(separator: "\t", omittingEmptySubsequences: false).joined(separator: "    "))
        }
    }

    /// `text` with its line feeds and tabs as they are, and all else that is unsafe escaped.
    public static func escapedText(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if isUnsafe(scalar), scalar != "\n", scalar != "\t" {
                result.append(contentsOf: escape(scalar).unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    /// The columns that `text`, which is escaped already, takes on a terminal.
    public static func width(_ text: String) -> Int {
        text.reduce(0) { $0 + width($1) }
    }

    /// `text` in at most `columns` columns, with `…` at its end if something was cut off.
    public static func truncated(_ text: String, to columns: Int) -> String {
        guard width(text) > columns else { return text }
        guard columns > 0 else { return "" }
        var result = ""
        var used = 0
        for character in text {
            used += width(character)
            guard used < columns else { break }
            result.append(character)
        }
        return result + "…"
    }

    /// `text` in exactly `columns` columns.
    public static func padded(_ text: String, to columns: Int, right: Bool = false) -> String {
        let text = truncated(text, to: columns)
        let space = String(repeating: " ", count: max(0, columns - width(text)))
        return right ? space + text : text + space
    }

    /// `text`, which is escaped already, broken at spaces into lines of at most `columns` columns; a longer
    /// word is broken inside.
    public static func wrapped(_ text: String, to columns: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            var word = String(word)
            if !line.isEmpty, width(line) + 1 + width(word) <= columns {
                line += " " + word
                continue
            }
            if !line.isEmpty { lines.append(line) }
            while width(word) > columns {
                let head = String(word.prefix(columns / 2))
                lines.append(head)
                word.removeFirst(head.count)
            }
            line = word
        }
        return lines + (line.isEmpty && !lines.isEmpty ? [] : [line])
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x7f { return scalar.value < 0x20 }
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: return true
        case .format: return !isVisibleFormat(scalar)
        default: return false
        }
    }

    /// Format characters that scripts need and that cannot deceive: the joiners of Persian, Indic scripts and
    /// emoji, and the number signs of Arabic, Syriac and Kaithi.
    private static func isVisibleFormat(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x200c, 0x200d, 0x0600...0x0605, 0x06dd, 0x070f, 0x08e2, 0x110bd, 0x110cd: true
        default: false
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: "\\u{\(String(scalar.value, radix: 16))}"
        }
    }

    /// Terminals give a character the width of its widest part: an accent takes none, an ideograph or emoji
    /// two.
    private static func width(_ character: Character) -> Int {
        var widest = 0
        for scalar in character.unicodeScalars { widest = max(widest, width(scalar)) }
        return widest
    }

    private static func width(_ scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x300 { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        case .format: return isVisibleFormat(scalar) && scalar.value < 0x2000 ? 1 : 0
        default: return isWide(scalar.value) ? 2 : 1
        }
    }

    /// The blocks that Unicode's EastAsianWidth.txt calls wide, in broad strokes.
    private static func isWide(_ value: UInt32) -> Bool {
        switch value {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3,
            0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f,
            0x1f680...0x1f6ff, 0x1f900...0x1f9ff, 0x1fa70...0x1faff, 0x20000...0x3fffd:
            true
        default: false
        }
    }
}
