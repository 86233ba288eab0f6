// Readers at the rim: streams of frames, messages, certificates, texts, JSON and the configuration.

import ConcordCrypto
import ConcordModel
import ConcordNode
import ConcordSync
import ConcordText
import ConcordTransport
import NIOCore

enum StreamFuzz {
    /// The first byte says into parts of what size the rest is cut.
    static func run(_ bytes: [UInt8]) {
        guard let size = bytes.first.map({ Int($0) + 1 }) else { return }
        let stream = bytes.dropFirst()
        let whole = frames(stream, inPartsOf: max(1, stream.count))
        always(whole == frames(stream, inPartsOf: size), "frames do not depend on how the stream is cut")
        always(whole.allSatisfy { (1...limit).contains($0.count) }, "frames keep their limits")
    }

    private static let limit = 4096

    private static func frames(_ stream: ArraySlice<UInt8>, inPartsOf size: Int) -> [[UInt8]] {
        var decoder = FrameDecoder(limit: limit)
        var frames: [[UInt8]] = []
        var rest = stream
        while !rest.isEmpty {
            decoder.append(ByteBuffer(bytes: rest.prefix(size)))
            rest = rest.dropFirst(size)
            do {
                while let frame = try decoder.next() { frames.append(frame) }
            } catch {
                return frames
            }
        }
        return frames
    }
}

enum MessageFuzz {
    static func run(_ bytes: [UInt8]) {
        guard let message = try? Message(encoded: bytes) else { return }
        if case .ignored = message { return }
        let encoded = message.encoded()
        // A packed frame says the same as the one that was packed.
        guard (try? Message(encoded: encoded)) == message else {
            preconditionFailure("a message that was read is written in a form that is read as the same")
        }
    }
}

enum CertificateFuzz {
    static func run(_ bytes: [UInt8]) {
        if let certificate = try? Certificate(der: bytes) {
            always(certificate.der == bytes, "a certificate keeps its bytes")
            _ = certificate.isIssued(by: FuzzSeeds.identity.authority)
            _ = FuzzSeeds.identity.node.isIssued(by: certificate)
            _ = certificate.isSigned(by: certificate.publicKey)
            _ = try? MemberStatement(authority: certificate)
        }
        _ = try? CertificateRequest(der: bytes)
        let text = String(decoding: bytes, as: UTF8.self)
        _ = try? Certificate.chain(pem: text)
        _ = try? NodeCertificates(pem: text, place: "the text")
        _ = try? NodeRequest(pem: text, place: "the text")
        _ = try? PrivateKey(pem: text, passphrase: [])
    }
}

enum TextFuzz {
    /// The bytes say which edits are made, each against some of those before it; the same edits in two orders must give
    /// the same text, and so must the stored history.
    static func run(_ bytes: [UInt8]) {
        _ = try? TextHistory(chunks: [bytes])
        var input = FuzzInput(bytes)
        var edits: [TextEdit] = []
        while !input.isAtEnd, edits.count < 64 { edits.append(edit(after: edits, &input)) }
        var forward = MergedText()
        var taken: [TextEdit] = []
        for edit in edits where (try? forward.apply([edit])) != nil { taken.append(edit) }
        var atOnce = MergedText()
        always((try? atOnce.apply(taken)) != nil, "what was taken singly is taken at once")
        always(atOnce.text == forward.text, "a text does not depend on how its edits were grouped")
        guard let stored = try? TextHistory(chunks: [forward.history.chunk()]) else {
            preconditionFailure("a history that was stored can be read")
        }
        always(MergedText(replaying: stored).text == forward.text, "a text follows from its stored history")
    }

    private static func edit(after edits: [TextEdit], _ input: inout FuzzInput) -> TextEdit {
        let agent = TextAgent(high: 7, low: UInt64(input.number(below: 3)))
        let sequence = UInt64(edits.filter { $0.id.agent == agent }.count + 1)
        let parents = (0..<input.number(below: 3)).compactMap { _ in
            edits.isEmpty ? nil : edits[input.number(below: edits.count)].id
        }
        let runs = (0..<input.number(below: 3) + 1).map { _ in
            TextRun(
                position: UInt64(input.byte()), deleted: UInt64(input.number(below: 8)),
                inserted: UInt64(input.number(below: 5)))
        }
        let count = runs.reduce(0) { $0 + Int($1.inserted) }
        let letters = (0..<count).map { _ in UInt8(ascii: "a") + UInt8(input.number(below: 26)) }
        return TextEdit(
            id: TextEditID(agent, sequence), parents: Array(Set(parents)).sorted(), runs: runs,
            inserted: letters)
    }
}

enum JSONFuzz {
    static func run(_ bytes: [UInt8]) {
        _ = try? JSONReader.parse(bytes[...])
        // The lines of an import, in one part and in many.
        always(
            rows(bytes, inPartsOf: bytes.count + 1) == rows(bytes, inPartsOf: 7),
            "lines do not depend on parts")
    }

    private static func rows(_ bytes: [UInt8], inPartsOf size: Int) -> [ImportRow]? {
        var reader = ImportReader()
        var rest = bytes[...]
        do {
            while !rest.isEmpty {
                try reader.feed(rest.prefix(size))
                rest = rest.dropFirst(size)
            }
            return try reader.finish()
        } catch {
            return nil
        }
    }
}

enum ConfigurationFuzz {
    static func run(_ bytes: [UInt8]) {
        var configuration = Configuration()
        try? configuration.apply(yaml: String(decoding: bytes, as: UTF8.self), file: "concord.yaml")
    }
}
