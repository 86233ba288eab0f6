// A file that is encrypted to the key-agreement certificates of those who may read it: CMS AuthEnvelopedData (RFC 5083)
// in DER, of which `openssl cms -decrypt` is one reader. OpenSSL makes and reads the structure, but only as a whole in
// memory; so here it gets the structure without its content, which goes past it in pieces. The layout of the file:
//
//     head     ContentInfo { AuthEnvelopedData { version, recipients, { data, AES-256-GCM, [0]
//     content  as many bytes as were encrypted                                               } }
//     tail     the authentication tag                                                          } }

/// The parts of an envelope besides its content.
public struct CMSEnvelope: Hashable, Sendable {
    /// Bytes of the element after the content: a tag of 16 bytes with its head.
    public static let tailByteCount = 18

    private enum Tag {
        static let integer: UInt8 = 0x02
        static let octets: UInt8 = 0x04
        static let object: UInt8 = 0x06
        static let sequence: UInt8 = 0x30
        static let set: UInt8 = 0x31
        static let content: UInt8 = 0x80
        static let explicit: UInt8 = 0xa0
    }

    /// id-ct-authEnvelopedData, 1.2.840.113549.1.9.16.1.23
    private static let authEnvelopedData: [UInt8] = [
        0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17,
    ]

    /// Version and recipients, as they stand in a row.
    private let recipients: [UInt8]
    /// The content's type and algorithm, as they stand in a row.
    private let algorithm: [UInt8]
    /// Where the content begins in the file.
    public let contentOffset: Int
    /// Bytes of the content.
    public let contentCount: Int

    /// Whether a file that begins so is an envelope, in whatever form and state.
    public static func begins(_ beginning: [UInt8]) -> Bool {
        guard let outer = DERElement(beginning, at: 0), outer.tag == Tag.sequence else { return false }
        let type = beginning.dropFirst(outer.start).prefix(authEnvelopedData.count)
        return authEnvelopedData.starts(with: type)
    }

    /// Reads the beginning of a file.
    ///
    /// - Parameters:
    ///   - beginning: its first ``CryptoLimits/envelopeHeadBytes`` bytes, or all if there are fewer.
    ///   - byteCount: bytes of the file.
    /// - Throws: ``CryptoError`` with code `.malformedEnvelope`, or `.truncatedEnvelope` if the file is shorter than it
    ///   says itself.
    public init(beginning: [UInt8], byteCount: Int) throws {
        var walk = Walk(bytes: beginning)
        let outer = try walk.enter(Tag.sequence)
        guard outer.end <= byteCount else {
            // What begins like this by chance is no envelope at all.
            let type = beginning.dropFirst(outer.start).prefix(Self.authEnvelopedData.count)
            guard Self.authEnvelopedData.starts(with: type) else {
                throw Self.refusal("it is no AuthEnvelopedData")
            }
            throw CryptoError(
                .truncatedEnvelope, "The envelope has \(byteCount) bytes of \(outer.end).")
        }
        guard outer.end == byteCount else { throw Self.refusal("something follows its end") }
        guard beginning.dropFirst(walk.offset).starts(with: Self.authEnvelopedData) else {
            throw Self.refusal("it is no AuthEnvelopedData")
        }
        walk.offset += Self.authEnvelopedData.count
        guard try walk.enter(Tag.explicit).end == byteCount, try walk.enter(Tag.sequence).end == byteCount
        else { throw Self.refusal("its parts do not end together") }
        let start = walk.offset
        try walk.skip(Tag.integer)
        try walk.skip(Tag.set)
        recipients = Array(beginning[start..<walk.offset])
        let encrypted = try walk.enter(Tag.sequence)
        let type = walk.offset
        try walk.skip(Tag.object)
        try walk.skip(Tag.sequence)
        algorithm = Array(beginning[type..<walk.offset])
        let content = try walk.enter(Tag.content)
        guard content.end == encrypted.end, content.end + Self.tailByteCount == byteCount else {
            throw Self.refusal("its parts do not end together")
        }
        (contentOffset, contentCount) = (content.start, content.count)
    }

    /// Takes apart what OpenSSL made of a detached content.
    init(withoutContent der: [UInt8], contentCount: Int) throws {
        var walk = Walk(bytes: der)
        _ = try walk.enter(Tag.sequence)
        try walk.skip(Tag.object)
        _ = try walk.enter(Tag.explicit)
        _ = try walk.enter(Tag.sequence)
        let start = walk.offset
        try walk.skip(Tag.integer)
        try walk.skip(Tag.set)
        recipients = Array(der[start..<walk.offset])
        let encrypted = try walk.enter(Tag.sequence)
        algorithm = Array(der[walk.offset..<encrypted.end])
        self.contentCount = contentCount
        guard encrypted.end + Self.tailByteCount == der.count else {
            throw CryptoError(.library, "OpenSSL made an envelope of another form.")
        }
        contentOffset =
            Self.head(recipients: recipients, algorithm: algorithm, content: contentCount, isHeld: true).count
    }

    /// What stands before the content in the file.
    public var head: [UInt8] {
        Self.head(recipients: recipients, algorithm: algorithm, content: contentCount, isHeld: true)
    }

    /// The structure without its content, as OpenSSL reads it.
    func withoutContent(tail: [UInt8]) -> [UInt8] {
        Self.head(recipients: recipients, algorithm: algorithm, content: 0, isHeld: false) + tail
    }

    private static func head(
        recipients: [UInt8], algorithm: [UInt8], content: Int, isHeld: Bool
    ) -> [UInt8] {
        let contentHead = isHeld ? DERElement.head(Tag.content, count: content) : []
        let encryptedCount = algorithm.count + contentHead.count + content
        let encrypted = DERElement.head(Tag.sequence, count: encryptedCount)
        let innerCount = recipients.count + encrypted.count + encryptedCount + tailByteCount
        let inner = DERElement.head(Tag.sequence, count: innerCount)
        let explicit = DERElement.head(Tag.explicit, count: inner.count + innerCount)
        let outerCount = authEnvelopedData.count + explicit.count + inner.count + innerCount
        return DERElement.head(Tag.sequence, count: outerCount) + authEnvelopedData + explicit + inner
            + recipients + encrypted + algorithm + contentHead
    }

    /// From element to element.
    private struct Walk {
        let bytes: [UInt8]
        var offset = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func enter(_ tag: UInt8) throws -> DERElement {
            guard let element = DERElement(bytes, at: offset), element.tag == tag else {
                throw CMSEnvelope.refusal("it is not in the form of one")
            }
            offset = element.start
            return element
        }

        mutating func skip(_ tag: UInt8) throws {
            let element = try enter(tag)
            guard element.end <= bytes.count else {
                throw CMSEnvelope.refusal("it is not in the form of one")
            }
            offset = element.end
        }
    }

    private static func refusal(_ reason: String) -> CryptoError {
        CryptoError(.malformedEnvelope, "This is not an envelope that can be read: \(reason).")
    }
}
