// What lists and the SQL views show of a record: its title, and the displayed values as one flat JSON object, save for
// texts that merge: these may be long, and are read where they are kept. Written by hand, byte by byte, because every
// record that is written passes here.

/// The title and the displayed values of a record.
public struct RecordDisplay: Sendable {
    /// The title.
    public let title: String
    /// UTF-8 of `{"field": value…}`, fields ascending: texts and numbers for registers, then arrays for sets, no cleared
    /// registers.
    public let json: [UInt8]

    /// What is displayed of a record of this kind.
    public init(_ state: RecordState, kind: KindDescription) {
        title = Self.title(of: state, kind: kind)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        bytes.append(UInt8(ascii: "{"))
        for register in state.registers where register.isDisplayed && !kind.isText(register.field) {
            Self.appendName(register.field, to: &bytes)
            Self.append(register.shown.value, to: &bytes)
        }
        for set in state.sets where !kind.isText(set.field) {
            Self.appendName(set.field, to: &bytes)
            bytes.append(UInt8(ascii: "["))
            for (index, element) in set.elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.append(element.element, to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        }
        bytes.append(UInt8(ascii: "}"))
        json = bytes
    }

    /// The displayed value of the title's field, or of the first other field that has one.
    static func title(of state: RecordState, kind: KindDescription) -> String {
        func value(_ field: UTF8Text) -> String? {
            guard let value = state.register(field)?.shown.value, !value.isEmpty else { return nil }
            return value.display
        }
        if let title = value(kind.titleField) { return title }
        return kind.fields.lazy.filter { !$0.isText }.compactMap { value($0.name) }.first ?? ""
    }

    private static func appendName(_ name: UTF8Text, to bytes: inout [UInt8]) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        append(text: name.string, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
    }

    private static func append(_ value: Value, to bytes: inout [UInt8]) {
        switch value {
        case .integer(let number): bytes.append(contentsOf: String(number).utf8)
        case .text(let text): append(text: text.string, to: &bytes)
        default: append(text: value.display, to: &bytes)
        }
    }

    private static func append(text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            // Almost no text has anything to escape.
            if utf8.contains(where: mustEscape) {
                for byte in utf8 { appendEscaped(byte, to: &bytes) }
            } else {
                bytes.append(contentsOf: utf8)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func mustEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private static func appendEscaped(_ byte: UInt8, to bytes: inout [UInt8]) {
        if byte < 0x20 {
            bytes.append(contentsOf: "\\u00".utf8)
            bytes.append(contentsOf: hexadecimal([byte]).utf8)
        } else {
            if mustEscape(byte) { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(byte)
        }
    }
}

extension RecordState.Register {
    /// Whether anything is displayed: not of a register that was cleared.
    public var isDisplayed: Bool { !shown.value.isEmpty || isInConflict }
}

extension KindDescription {
    /// Whether a field is a text that merges, which is displayed from where it is kept.
    func isText(_ field: UTF8Text) -> Bool { fields.contains { $0.isText && $0.name == field } }
}

extension Value {
    /// The value as text: a number in decimal digits, bytes in hexadecimal ones, nothing for one that was erased.
    public var display: String {
        switch self {
        case .integer(let number): String(number)
        case .bytes(let bytes): hexadecimal(bytes)
        case .text(let text): text.string
        case .erased: ""
        }
    }
}
