// An act in a file: how it travels to a machine without a network, to be signed there, and back. The act's bytes
// stand as they are signed; the names beside them are for display and prove nothing. Form: Protocol/spaces.md, "Act
// files".

import CBOR
import ConcordCrypto
import ConcordModel

/// A formal act with the signatures that were collected, as a file holds it.
public struct ActFile: Hashable, Sendable {
    /// How a member is called, for display.
    public struct Name: Hashable, Sendable {
        /// The member.
        public let member: MemberID
        /// Its code.
        public let code: UTF8Text
        /// Its name.
        public let name: UTF8Text

        /// A member's code and name.
        public init(member: MemberID, code: UTF8Text, name: UTF8Text) {
            self.member = member
            self.code = code
            self.name = name
        }
    }

    /// The first item of every such file.
    static let title = "concord act"
    /// Bytes of a file.
    static let maximumBytes = 1 << 20
    /// Signatures of a file.
    static let maximumSignatures = Limits.founders
    /// Names of a file.
    static let maximumNames = 1024

    /// The act's canonical bytes: what is signed.
    public let bytes: [UInt8]
    /// What they say.
    public let act: Act
    /// The name of the space, for display.
    public let spaceName: UTF8Text
    /// The members that the act names, ascending.
    public private(set) var names: [Name]
    /// The signatures, ascending by signer. Whoever reads the file cannot tell whether they verify: that takes the
    /// roster.
    public private(set) var signatures: [SignedAct]

    /// The SHA-256 of the act's bytes, which names it.
    public var hash: Digest { SHA256.hash(bytes) }

    /// An act with what is known of the members that it names.
    ///
    /// - Throws: ``ConcordError`` E-4003 if the bytes are not an act of a kind that this version knows.
    public init(bytes: [UInt8], spaceName: UTF8Text, names: [Name], signatures: [SignedAct] = []) throws {
        act = try Act(encoded: bytes)
        if case .other(let kind, _) = act {
            throw ConcordError(
                .malformedAct, "“\(kind.string.prefix(64))” is no kind of act that this version knows",
                action: "use a later version of `concord`")
        }
        self.bytes = bytes
        self.spaceName = spaceName
        self.names = names.sorted { $0.member < $1.member }
        self.signatures = []
        for signature in signatures { try add(signature) }
    }

    /// Adds a signature, in place of an earlier one of the same member.
    ///
    /// - Throws: ``ConcordError`` E-4003 if it is under another act.
    public mutating func add(_ signed: SignedAct) throws {
        guard signed.act == bytes else {
            throw ConcordError(.malformedAct, "a signature is under another act than the file's")
        }
        signatures.removeAll { $0.signer == signed.signer }
        signatures.append(signed)
        signatures.sort { $0.signer < $1.signer }
    }

    /// Adds how a member is called, unless the file says so already.
    public mutating func add(_ name: Name) {
        guard !names.contains(where: { $0.member == name.member }) else { return }
        names.append(name)
        names.sort { $0.member < $1.member }
    }

    /// `DEU Germany`, as the file says; the beginning of the fingerprint for a member that it does not name.
    public func name(_ member: MemberID) -> String {
        names.first { $0.member == member }.map { "\($0.code) \($0.name)" }
            ?? String(member.description.prefix(16))
    }

    // MARK: Bytes

    /// `["concord act", act, [*[signer, signature]], name of the space, [*[member, code, name]]]`.
    public var encoded: [UInt8] {
        var writer = CBORWriter(capacity: bytes.count + 1024)
        writer.array(5)
        writer.text(Self.title)
        writer.byteString(bytes)
        writer.array(signatures.count)
        for signed in signatures {
            writer.array(2)
            writer.digest(signed.signer.digest)
            writer.byteString(signed.signature.bytes)
        }
        writer.text(spaceName.string)
        writer.array(names.count)
        for name in names {
            writer.array(3)
            writer.digest(name.member.digest)
            writer.text(name.code.string)
            writer.text(name.name.string)
        }
        return writer.bytes
    }

    /// Reads a file.
    ///
    /// - Throws: ``ConcordError`` E-4003.
    public init(encoded file: [UInt8]) throws {
        do {
            guard file.count <= Self.maximumBytes else {
                throw ConcordError(.malformedAct, "the file is longer than an act can be")
            }
            var reader = CBORReader(file)
            try reader.array(count: 5)
            guard try reader.text(upTo: Limits.nameBytes) == Self.title else {
                throw ConcordError(.malformedAct, "the file does not hold an act")
            }
            let bytes = try reader.byteString(upTo: Limits.actBytes)
            let signatures = try Self.signatures(under: bytes, &reader)
            let spaceName = UTF8Text(try reader.text(upTo: Limits.authorLabelBytes))
            let names = try Self.names(&reader)
            try reader.expectEnd()
            try self.init(bytes: bytes, spaceName: spaceName, names: names, signatures: signatures)
            guard encoded == file else {
                throw ConcordError(.malformedAct, "signatures or names in the file are out of order")
            }
        } catch let error as CBORError {
            throw ConcordError(.malformedAct, "the file does not hold an act: \(error)")
        }
    }

    private static func signatures(under act: [UInt8], _ reader: inout CBORReader) throws -> [SignedAct] {
        var signatures: [SignedAct] = []
        for _ in 0..<(try reader.array(upTo: maximumSignatures)) {
            try reader.array(count: 2)
            let signer = MemberID(try reader.digest())
            guard let signature = Signature(bytes: try reader.byteString(count: Signature.byteCount)) else {
                throw ConcordError(.malformedAct, "a signature in the file is not in canonical form")
            }
            signatures.append(SignedAct(act: act, signer: signer, signature: signature))
        }
        return signatures
    }

    private static func names(_ reader: inout CBORReader) throws -> [Name] {
        var names: [Name] = []
        for _ in 0..<(try reader.array(upTo: maximumNames)) {
            try reader.array(count: 3)
            names.append(
                Name(
                    member: MemberID(try reader.digest()),
                    code: UTF8Text(try reader.text(upTo: Limits.nameBytes)),
                    name: UTF8Text(try reader.text(upTo: Limits.authorLabelBytes))))
        }
        return names
    }
}
