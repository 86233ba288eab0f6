// The roster as somebody uses it who drafts an act: members found by what people type, acts found that say the same
// and wait for signatures. What is signed is always read from the bytes themselves, never from what the daemon says
// of them.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import Foundation

/// A roster to draft acts against.
public struct RosterGuide: Sendable {
    /// Digits of a fingerprint, or of an act's hash, that have to be typed at least.
    public static let prefixDigits = 8

    /// What the daemon said.
    public let document: MembersDocument
    /// The space.
    public let space: SpaceID

    /// - Throws: ``ConcordError`` E-6007 if the document does not name a space.
    public init(_ document: MembersDocument) throws {
        guard let digest = Digest(hex: document.space) else {
            throw ConcordError(.internalError, "the daemon's id of the space is not one: \(document.space)")
        }
        self.document = document
        space = SpaceID(digest)
    }

    // MARK: Members

    /// The member with this code, or whose fingerprint begins like this.
    ///
    /// - Throws: ``ConcordError`` E-4008 if there is none, E-4015 if there are several.
    public func member(_ text: String) throws -> MembersDocument.Member {
        let coded = document.members.filter { $0.code == text }
        let digits = Self.digits(text)
        let found =
            coded.isEmpty && digits.count >= Self.prefixDigits
            ? document.members.filter { $0.id.hasPrefix(digits) } : coded
        guard let first = found.first else {
            throw ConcordError(
                .unknownMember,
                "no member on the roster of “\(document.spaceName)” has the code “\(text.prefix(64))”, or a "
                    + "fingerprint that begins so")
        }
        guard found.count == 1 else {
            let fingerprints = found.map { "\($0.name) \($0.id.prefix(16))" }.joined(separator: ", ")
            throw ConcordError(
                .ambiguousMember, "“\(text.prefix(64))” means \(found.count) members: \(fingerprints)",
                action: "give the beginning of the fingerprint instead")
        }
        return first
    }

    /// The former identity that is meant by a code or fingerprint: one on the roster, or any in full.
    public func predecessor(_ text: String, of subject: MemberID) throws -> MemberID {
        let digits = Self.digits(text)
        let id: MemberID
        if digits.utf8.count == 64, let digest = Digest(hex: digits) {
            id = MemberID(digest)
        } else {
            // A member that comes back with a new authority bears the same code: it is not its own predecessor.
            let others = document.members.filter { $0.id != subject.description }
            var guide = self
            guide.others(others)
            id = try Self.id(of: try guide.member(text))
        }
        guard id != subject else {
            throw ConcordError(
                .usage, "a member cannot take over its own records", action: "see `concord member list`")
        }
        return id
    }

    private mutating func others(_ members: [MembersDocument.Member]) {
        var document = document
        document.members = members
        self = RosterGuide(document, space)
    }

    private init(_ document: MembersDocument, _ space: SpaceID) {
        self.document = document
        self.space = space
    }

    /// The member on the roster that signs with this key.
    ///
    /// - Throws: ``ConcordError`` E-4011 if there is none.
    public func signer(key fingerprint: Digest) throws -> MembersDocument.Member {
        let key = fingerprint.description
        if let member = document.members.first(where: { $0.authorities.contains(key) }) { return member }
        if let former = document.members.first(where: { $0.formerAuthorities.contains(key) }) {
            throw ConcordError(
                .wrongAuthority, "this key of \(former.code) \(former.name) was replaced by another",
                action: "give the --authority DIR that holds the present key")
        }
        throw ConcordError(
            .wrongAuthority,
            "the authority with the key \(key.prefix(16)) is not on the roster of “\(document.spaceName)”")
    }

    /// The id of a member on the roster.
    public static func id(of member: MembersDocument.Member) throws -> MemberID {
        MemberID(try digest(member.id))
    }

    /// How a member is called.
    public func name(_ member: MemberID) -> String {
        let id = member.description
        return document.members.first { $0.id == id }.map { "\($0.code) \($0.name)" } ?? String(id.prefix(16))
    }

    /// The names of the members that an act speaks of, for a file.
    public func names(in act: Act, signers: [MemberID] = []) -> [ActFile.Name] {
        var members = signers + [act.subject].compactMap { $0 }
        if case .admission(let admission) = act, let predecessor = admission.predecessor {
            members.append(predecessor)
        }
        if case .appointment(let appointment) = act { members += appointment.holders }
        return Set(members).sorted().compactMap { member in
            guard let line = document.members.first(where: { $0.id == member.description }) else {
                return nil
            }
            return ActFile.Name(member: member, code: UTF8Text(line.code), name: UTF8Text(line.name))
        }
    }

    // MARK: Acts

    /// An act that waits for signatures, with its bytes.
    public struct Pending: Sendable {
        /// What the daemon says of it.
        public let document: ProcedureDocument
        /// The bytes that are to be signed.
        public let bytes: [UInt8]
        /// What they say.
        public let act: Act
    }

    /// The acts that wait for signatures, read from their bytes.
    ///
    /// - Throws: ``ConcordError`` E-4003 if the daemon hands out an act that is not what it says.
    public func pending() throws -> [Pending] {
        try document.procedures.map { procedure in
            let bytes = Data(base64Encoded: procedure.bytes).map { [UInt8]($0) } ?? []
            let act = try Act(encoded: bytes)
            guard SHA256.hash(bytes).description == procedure.act, act.space == space else {
                throw ConcordError(
                    .malformedAct, "the daemon's act \(procedure.act.prefix(16)) is another one")
            }
            return Pending(document: procedure, bytes: bytes, act: act)
        }
    }

    /// The act whose hash begins like this and that waits for signatures.
    ///
    /// - Throws: ``ConcordError`` E-4003 if there is none, E-4015 if there are several.
    public func pending(hash text: String) throws -> Pending {
        let digits = Self.digits(text)
        let found =
            digits.count < Self.prefixDigits ? [] : try pending().filter { $0.document.act.hasPrefix(digits) }
        guard let first = found.first else {
            throw ConcordError(
                .malformedAct, "no act whose hash begins with “\(text.prefix(64))” waits for signatures",
                action: "see `concord member list`")
        }
        guard found.count == 1 else {
            throw ConcordError(.ambiguousMember, "several acts' hashes begin with “\(text.prefix(64))”")
        }
        return first
    }

    /// The one act that says the same and waits for signatures; nil if there is none.
    ///
    /// - Throws: ``ConcordError`` E-4015 if there are several.
    public func pending(like act: Act) throws -> Pending? {
        let found = try pending().filter { $0.act.says(theSameAs: act) }
        guard found.count <= 1 else {
            let hashes = found.map { String($0.document.act.prefix(16)) }.joined(separator: ", ")
            throw ConcordError(
                .ambiguousMember, "\(found.count) acts wait that say this: \(hashes)",
                action: "sign the one that you agree with: `concord member sign HASH`")
        }
        return found.first
    }

    private static func digits(_ text: String) -> String {
        text.lowercased().filter { $0 != " " && $0 != "·" }
    }

    static func digest(_ text: String) throws -> Digest {
        guard let digest = Digest(hex: text) else {
            throw ConcordError(.internalError, "the daemon's hash is not one: \(text.prefix(64))")
        }
        return digest
    }
}

extension Act {
    /// Whether another act wants the same, so that members who agree sign one of the two. Reasons, cut-offs and times
    /// may differ: they are the first drafter's.
    public func says(theSameAs other: Act) -> Bool {
        switch (self, other) {
        case (.admission(let a), .admission(let b)):
            a.space == b.space && a.subject.id == b.subject.id && a.role == b.role
                && a.predecessor == b.predecessor
        case (.suspension(let a), .suspension(let b)): a.space == b.space && a.subject == b.subject
        case (.reinstatement(let a), .reinstatement(let b)):
            a.space == b.space && a.subject == b.subject && a.suspensions == b.suspensions
        case (.appointment(let a), .appointment(let b)):
            a.space == b.space && a.office == b.office && a.holders == b.holders && a.replaces == b.replaces
        case (.erasure(let a), .erasure(let b)):
            a.space == b.space && a.subject == b.subject && a.changes == b.changes
        default: false
        }
    }
}
