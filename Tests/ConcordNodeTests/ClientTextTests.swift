// How people write fields and spans, and how foreign text reaches a terminal.

import ConcordAPI
import ConcordClient
import ConcordModel
import Testing

@Suite("Text of the command line")
struct ClientTextTests {
    // MARK: Fields

    @Test("fields are written with =, +=, -= and cleared with nothing")
    func assignments() throws {
        let fields = try FieldAssignments(
            parsing: [
                "name=Ana = Maria", "phone=", "areas+=mediation", "areas+=peace-building", "areas-=x=y",
                "notes=a-=b",
            ],
            kind: "contact")
        #expect(
            fields.set == ["name": "Ana = Maria", "phone": "", "notes": "a-=b"].mapValues(JSONValue.string))
        #expect(fields.add == ["areas": [.string("mediation"), .string("peace-building")]])
        #expect(fields.remove == ["areas": [.string("x=y")]])
    }

    @Test("digits are a number only where the field takes one")
    func integers() throws {
        let fields = try FieldAssignments(parsing: ["speakers=12", "title=2017"], kind: "meeting")
        #expect(fields.set == ["speakers": .integer(12), "title": .string("2017")])
        let odd = try FieldAssignments(parsing: ["speakers=many"], kind: "meeting")
        #expect(odd.set == ["speakers": .string("many")])
    }

    @Test(
        "what is no assignment is a usage error, a set is not assigned, a register takes no elements",
        arguments: [
            (["name"], ErrorCode.usage), (["=x"], .usage), (["+=x"], .usage), (["name=a", "name=b"], .usage),
            (["areas+=a", "areas-=a"], .usage), (["areas=a"], .malformedValue),
            (["name+=a"], .malformedValue),
        ])
    func refusals(arguments: [String], code: ErrorCode) {
        let error = #expect(throws: ConcordError.self) {
            try FieldAssignments(parsing: arguments, kind: "contact")
        }
        #expect(error?.code == code)
    }

    @Test("fields that this version does not know are left to the daemon")
    func unknownFields() throws {
        let fields = try FieldAssignments(parsing: ["new=1", "tags+=2"], kind: "contact")
        #expect(fields.set == ["new": .string("1")])
        #expect(fields.add == ["tags": [.string("2")]])
    }

    // MARK: Spans and quantities

    @Test(
        "spans are read with their unit",
        arguments: [
            ("500ms", 500 as Int64?), ("60s", 60_000), ("5m", 300_000), ("5min", 300_000),
            ("12h", 43_200_000),
            ("7d", 604_800_000), ("2w", 1_209_600_000), ("0s", 0), ("7", nil), ("", nil), ("d", nil),
            ("-7d", nil),
            ("7.5d", nil), ("7 d", nil), ("99999999999999999999d", nil), ("9223372036854775807w", nil),
            ("٧d", nil),
        ])
    func spans(text: String, milliseconds: Int64?) {
        #expect(TypedSpan(text)?.milliseconds == milliseconds)
    }

    @Test("quantities are short and unmistakable")
    func quantities() {
        #expect(Quantity.lack(nil) == "?")
        #expect(Quantity.lack(0) == "·")
        #expect(Quantity.lack(1218) == "1 218")
        #expect([0, 999, 1000, -1_234_567].map(Quantity.count) == ["0", "999", "1 000", "-1 234 567"])
        #expect(
            [0, 59, 60, 3600, 3660, 86_400, 792_000, 3_000_000].map(Quantity.span(seconds:))
                == ["0 s", "59 s", "1 min", "1 h", "1 h 1 min", "1 d", "9 d 4 h", "34 d"])
        #expect(
            [0, 999, 1000, 1500, 41_000_000, 212_000_000_000].map(Quantity.bytes)
                == ["0 B", "999 B", "1.0 kB", "1.5 kB", "41 MB", "212 GB"])
        #expect(Quantity.short("5c1e77a0ffff") == "5c1e·77a0")
        #expect(Quantity.fingerprint("0123456789ab") == "0123 4567 89ab")
    }

    @Test("moments are told from now")
    func moments() {
        let now = "2026-11-22T12:00:00.000Z"
        #expect(Moment.relative("2026-11-22T02:10:00.000Z", now: now) == "today 02:10")
        #expect(Moment.relative("2026-11-21T17:39:00Z", now: now) == "yesterday 17:39")
        #expect(Moment.relative("2026-01-02T03:04:05Z", now: now) == "2026-01-02 03:04")
        #expect(Moment.minute("\u{1b}[2J") == "\\u{1b}[2J")
        #expect(Moment.seconds(from: nil, to: now) == nil)
        #expect(Moment.seconds(from: "2026-11-22T12:00:05.000Z", to: now) == 0)
    }

    // MARK: Foreign text

    @Test(
        "nothing in foreign text acts on a terminal",
        arguments: [
            ("\u{1b}[2J\u{7}", #"\u{1b}[2J\u{7}"#), ("a\nb\r\tc", #"a\nb\r\tc"#),
            ("\u{9b}31m", #"\u{9b}31m"#),
            ("\u{7f}", #"\u{7f}"#), ("ab\u{202e}dc", #"ab\u{202e}dc"#), ("a\u{2028}b", #"a\u{2028}b"#),
            ("\u{feff}x", #"\u{feff}x"#), ("communiqué – 北京 ✓", "communiqué – 北京 ✓"),
            ("نمی\u{200c}خواهم", "نمی\u{200c}خواهم"), ("\r\n", #"\r\n"#),
        ])
    func escaping(text: String, expected: String) {
        #expect(TerminalText.escaped(text) == expected)
    }

    @Test("columns are counted as a terminal shows them")
    func widths() {
        #expect(TerminalText.width("communiqué") == 10)
        #expect(TerminalText.width("e\u{301}") == 1)
        #expect(TerminalText.width("北京") == 4)
        #expect(TerminalText.width("👩‍👩‍👧") == 2)
        #expect(TerminalText.truncated("Alicante", to: 5) == "Alic…")
        #expect(TerminalText.truncated("北京市", to: 4) == "北…")
        #expect(TerminalText.padded("ab", to: 4, right: true) == "  ab")
    }

    @Test("wrapping keeps every word and no line is too long", arguments: 0..<100)
    func wrapping(seed: Int) {
        var random = ClientSeed(state: UInt64(seed))
        let words = (0..<Int.random(in: 0...30, using: &random)).map { _ in
            String(repeating: "w", count: Int.random(in: 1...40, using: &random))
        }
        let lines = TerminalText.wrapped(words.joined(separator: " "), to: 30)
        #expect(lines.allSatisfy { TerminalText.width($0) <= 30 })
        #expect(lines.joined().filter { $0 == "w" }.count == words.joined().count)
    }

    @Test("a table stays within its width and shows no control characters", arguments: 0..<100)
    func tables(seed: Int) {
        var random = ClientSeed(state: UInt64(seed))
        var table = Table([.fixed("ID"), .text("TITLE"), .number("N"), .text("NOTE", minimum: 4)])
        let alphabet = ["a", " ", "é", "北", "\u{1b}", "👍", "e\u{301}"]
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            func text(_ maximum: Int) -> String {
                (0..<Int.random(in: 0...maximum, using: &random))
                    .map { _ in alphabet.randomElement(using: &random)! }.joined()
            }
            table.append(["abcd", text(120), String(Int.random(in: 0...99999, using: &random)), text(60)])
        }
        let lines = table.lines(width: 60)
        #expect(lines.allSatisfy { TerminalText.width($0) <= 60 })
        #expect(lines.allSatisfy { line in line.unicodeScalars.allSatisfy { $0.value >= 0x20 } })
    }

    @Test("lines are longer only on a terminal that is wider")
    func columns() {
        func columns(_ terminal: Bool, _ environment: [String: String], _ columns: Int?) -> Int {
            TextStyle(isTerminal: terminal, environment: environment, terminalColumns: columns).columns
        }
        #expect(columns(true, [:], 160) == 160)
        #expect(columns(true, ["COLUMNS": "120"], 160) == 120)
        #expect(columns(true, ["COLUMNS": "wide"], 160) == 160)
        #expect(columns(true, [:], 80) == 100)
        #expect(columns(true, ["COLUMNS": "99999999"], nil) == ClientLimits.widestColumns)
        #expect(columns(false, ["COLUMNS": "160"], 160) == 100)
    }

    @Test("colour is only for terminals, and never with NO_COLOR")
    func colour() {
        #expect(TextStyle(isTerminal: true, environment: [:]).bad("x") == "\u{1b}[31;1mx\u{1b}[0m")
        #expect(TextStyle(isTerminal: true, environment: ["NO_COLOR": "1"]).bad("x") == "x")
        #expect(TextStyle(isTerminal: true, environment: ["TERM": "dumb"]).bad("x") == "x")
        #expect(TextStyle(isTerminal: false, environment: [:]).bad("x") == "x")
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct ClientSeed: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
