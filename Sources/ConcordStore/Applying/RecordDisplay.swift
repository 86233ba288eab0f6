// What lists and the SQL views show of a record: its title, and the displayed values as one flat JSON object, save for
// texts that merge: these may be long, and are read where they are kept. Written by hand, byte by byte, because every
// record that is written passes here.

import ConcordModel

/// The title and the displayed values of a record.
struct RecordDisplay {
    /// The title.
    let title: String
    /// `{"field": value…}`, fields ascending: texts and numbers for registers, arrays for sets, no cleared
    /// registers.
    let json: String

    init(_ state: RecordState, kind: KindDescription) {
        title = Self.title(of: state, kind: kind)
        let texts = kind.fields.filter(\.isText).map(\.name)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        bytes.append(UInt8(ascii: "{"))
        for register in state.registers where !texts.contains(register.field) {
            guard let shown = register.values.first?.value, !shown.isEmpty || register.values.count > 1 else {
                continue
            }
            Self.appendName(register.field, to: &bytes)
            Self.append(shown, to: &bytes)
        }
        for set in state.sets where !texts.contains(set.field) {
            Self.appendName(set.field, to: &bytes)
            bytes.append(UInt8(ascii: "["))
            for (index, element) in set.elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.append(element.element, to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        }
        bytes.append(UInt8(ascii: "}"))
        json = String(decoding: bytes, as: UTF8.self)
    }

    /// The displayed value of the title's field, or of the first other field that has one.
    static func title(of state: RecordState, kind: KindDescription) -> String {
        for field in [kind.titleField] + kind.fields.filter({ !$0.isText }).map(\.name) {
            if let value = state.register(field)?.values.first?.value, !value.isEmpty { return value.display }
        }
        return ""
    }

    private static func appendName(_ name: UTF8Text, to bytes: inout [UInt8]) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        append(text: name.string, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
    }

    private static func append(_ value: Value, to bytes: inout [UInt8]) {
        if case .integer(let number) = value {
            bytes.append(contentsOf: String(number).utf8)
        } else {
            append(text: value.display, to: &bytes)
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

extension Value {
    /// The value as text: a number in decimal digits, bytes in hexadecimal ones, nothing for one that was erased.
    var display: String {
        switch self {
        case .integer(let number): String(number)
        case .bytes(let bytes): hexadecimal(bytes)
        case .text(let text): text.string
        case .erased: ""
        }
    }
}
