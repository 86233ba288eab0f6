// The text in which a replay must end.

import ConcordCrypto
import ConcordText

/// What a history must end in.
struct ExpectedText {
    /// Why another text than the file's own is right, if it is.
    private(set) var note: String?
    private let bytes: [UInt8]
    /// The hash of the text that is right instead, and why.
    private let replay: (hash: Digest, note: String)?

    init(_ content: String) {
        bytes = Array(content.utf8)
        replay = Self.replays[SHA256.hash(bytes).description].flatMap { known in
            Digest(hex: known.hash).map { ($0, known.note) }
        }
    }

    /// Files whose text does not follow from what else they say: by the SHA-256 of that text, the SHA-256 of the one
    /// that does.
    private static let replays = [
        "679d80c2a145ef919b733a0587702872dddfc5c2c763d9e312507be6951a37b7": (
            hash: "3a4da13d6f7ead4357d1a93fec2f6cf58f7a2cbb50aef742c163caef64ed455c",
            note: """
            the text in this file depends on the names of its agents, which it does not give; compared with the \
            replay by the reference implementation of the paper, agents in the order of their numbers
            """
        )
    ]

    /// Expects that a text is the right one.
    ///
    /// - Throws: ``BenchError`` if it is not.
    mutating func check(_ found: TextBuffer, _ what: String) throws {
        let text = found.utf8
        guard text != bytes else { return }
        if let replay, SHA256.hash(text) == replay.hash {
            note = replay.note
            return
        }
        let same = zip(text, bytes).prefix { $0 == $1 }.count
        throw BenchError(
            "\(what) ends in another text than its endContent: \(text.count) bytes instead of \(bytes.count), "
                + "the first \(same) of them equal")
    }
}
