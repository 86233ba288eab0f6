// What a new member needs to join a space: the charter, whom to trust, where to connect. An invite is signed
// by a node of a member in standing, and carries the signed acts that show that it is one, so that a reader
// can check all of it against nothing but the fingerprint of a founder. Grammar: Protocol/concord.cddl, rule
// `invite`.

import CBOR
import ConcordCrypto

extension Limits {
    /// Bytes of an invite: a roster of some 500 members, each with several signatures under its admission.
    public static let inviteBytes = 8 << 20
    /// Addresses in an invite.
    public static let inviteAddresses = 32
    /// Bytes of an address, `host:port`.
    public static let addressBytes = 262
    /// Signed acts in an invite.
    public static let inviteActs = 16_384
    /// Authority certificates in an invite.
    public static let inviteAuthorities = 2048
}

/// An invitation to a space, made and checked as a whole: whoever holds a value of this type knows that
/// everything in it fits together and is signed. Dates of certificates are not judged; that is for the moment
/// of connecting.
public struct Invite: Hashable, Sendable {
    /// The founding statement.
    public let charter: SignedCharter
    /// The authority of the member that invites.
    public let inviterAuthority: Certificate
    /// Its node that invites, and to which the new member connects first.
    public let inviterNode: Certificate
    /// Where that node is reached, as `host:port`.
    public let addresses: [String]
    /// The signed acts to which the roster owes its members, in an order in which each is valid after those
    /// before it.
    public let acts: [SignedAct]
    /// The authority certificates, in DER, of the members of the roster, by which their nodes are known.
    public let authorities: [[UInt8]]
    /// Milliseconds since 1970 on the inviter's clock.
    public let timestamp: Int64
    /// The signature of ``inviterNode`` over the hash of ``content``.
    public let signature: Signature
    /// The founders and those whom ``acts`` admit.
    public let roster: Roster
    /// The member that invites.
    public let inviter: MemberID

    private static let label = "concord invite"
    private static let parts = 8

    /// The space.
    public var space: SpaceID { charter.charter.space }

    /// Makes and signs an invite.
    ///
    /// - Parameter key: The key of `node`.
    /// - Throws: ``ConcordError`` E-4004 if the parts do not fit together.
    public init(
        charter: SignedCharter, authority: Certificate, node: Certificate, addresses: [String],
        acts: [SignedAct],
        authorities: [[UInt8]], timestamp: Int64, key: PrivateKey
    ) throws {
        let content = Self.content(charter, authority, node, addresses, acts, authorities, timestamp)
        try self.init(
            charter: charter, authority: authority, node: node, addresses: addresses, acts: acts,
            authorities: authorities, timestamp: timestamp,
            signature: try key.sign(SHA256.hash(content), as: .invite), content: content)
    }

    /// Reads and checks an invite.
    ///
    /// - Throws: ``ConcordError`` E-4004, or E-4002 if the charter is at fault.
    public init(encoded bytes: [UInt8]) throws {
        guard bytes.count <= Limits.inviteBytes else {
            throw Self.refusal("it has \(bytes.count) bytes, \(Limits.inviteBytes) are allowed")
        }
        do {
            var outer = CBORReader(bytes)
            try outer.array(count: 2)
            let content = try outer.byteString(upTo: Limits.inviteBytes)
            guard let signature = Signature(bytes: try outer.byteString(count: Signature.byteCount)) else {
                throw Self.refusal("its signature is not in canonical form")
            }
            try outer.expectEnd()
            var reader = CBORReader(content)
            try self.init(from: &reader, signature: signature, content: content)
        } catch let error as CBORError {
            throw Self.refusal("it cannot be read: \(error)")
        } catch let error as CryptoError {
            throw Self.refusal("a certificate in it cannot be read: \(error.message)")
        } catch let error as ConcordError where error.code == .malformedChange {
            throw Self.refusal(error.message)
        }
    }

    /// `[content, signature]` in deterministic CBOR.
    public var encoded: [UInt8] {
        let content = content
        var writer = CBORWriter(capacity: content.count + 96)
        writer.array(2)
        writer.byteString(content)
        writer.byteString(signature.bytes)
        return writer.bytes
    }

    /// The canonical bytes, which are hashed and signed.
    public var content: [UInt8] {
        Self.content(charter, inviterAuthority, inviterNode, addresses, acts, authorities, timestamp)
    }

    private init(from reader: inout CBORReader, signature: Signature, content: [UInt8]) throws {
        try reader.array(count: Self.parts)
        guard try reader.text(upTo: Limits.nameBytes) == Self.label else {
            throw Self.refusal("the bytes are not an invite")
        }
        let charter = try SignedCharter(encoded: try reader.byteString(upTo: Limits.inviteBytes))
        let authority = try Certificate(der: try reader.byteString(upTo: Limits.certificateBytes))
        let node = try Certificate(der: try reader.byteString(upTo: Limits.certificateBytes))
        var addresses: [String] = []
        for _ in 0..<(try reader.array(upTo: Limits.inviteAddresses)) {
            addresses.append(try reader.text(upTo: Limits.addressBytes))
        }
        var acts: [SignedAct] = []
        for _ in 0..<(try reader.array(upTo: Limits.inviteActs)) {
            try reader.array(count: 3)
            acts.append(try reader.signedAct())
        }
        var authorities: [[UInt8]] = []
        for _ in 0..<(try reader.array(upTo: Limits.inviteAuthorities)) {
            authorities.append(try reader.byteString(upTo: Limits.certificateBytes))
        }
        let timestamp = Int64(try reader.unsigned(upTo: Int(Limits.timestamp)))
        try reader.expectEnd()
        try self.init(
            charter: charter, authority: authority, node: node, addresses: addresses, acts: acts,
            authorities: authorities, timestamp: timestamp, signature: signature, content: content)
    }

    private init(
        charter: SignedCharter, authority: Certificate, node: Certificate, addresses: [String],
        acts: [SignedAct],
        authorities: [[UInt8]], timestamp: Int64, signature: Signature, content: [UInt8]
    ) throws {
        self.charter = charter
        inviterAuthority = authority
        inviterNode = node
        self.addresses = addresses
        self.acts = acts
        self.authorities = authorities
        self.timestamp = timestamp
        self.signature = signature
        let roster = try Self.roster(charter: charter.charter, acts: acts)
        self.roster = roster
        inviter = try Self.inviter(inviterAuthority, roster)
        try checkLimits(contentBytes: content.count)
        try checkInviter()
        try checkAuthorities()
        guard node.publicKey.isValid(signature, for: SHA256.hash(content), as: .invite) else {
            throw Self.refusal("its signature does not verify")
        }
    }

    private func checkLimits(contentBytes: Int) throws {
        guard contentBytes <= Limits.inviteBytes, addresses.count <= Limits.inviteAddresses,
            acts.count <= Limits.inviteActs, authorities.count <= Limits.inviteAuthorities,
            timestamp >= 0, timestamp <= Limits.timestamp
        else { throw Self.refusal("a limit is passed") }
        for address in addresses {
            let isPrintable = address.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            guard isPrintable, !address.isEmpty, address.utf8.count <= Limits.addressBytes else {
                throw Self.refusal("an address in it is not of the form host:port")
            }
        }
    }

    private func checkInviter() throws {
        guard inviterAuthority.isAuthority, inviterNode.purpose == .signing,
            inviterNode.isIssued(by: inviterAuthority)
        else { throw Self.refusal("the inviting node's certificate is not issued by its authority") }
    }

    /// The member whose authority this is now; it must be one in standing.
    private static func inviter(_ authority: Certificate, _ roster: Roster) throws -> MemberID {
        let members = roster.members(withAuthority: authority.publicKey.fingerprint)
        guard let inviter = members.first(where: { roster.role($0) == .member }) else {
            throw refusal("it is not made by a member of the space")
        }
        return inviter
    }

    /// Every authority that is handed over must be one that charter and acts vouch for.
    private func checkAuthorities() throws {
        let keys = Set(roster.entries.flatMap { $0.authorityKeys + $0.formerKeys })
        for der in authorities {
            let certificate = try Certificate(der: der)
            guard certificate.isAuthority, keys.contains(certificate.publicKey.fingerprint) else {
                throw Self.refusal("it hands over an authority that is not on the roster")
            }
        }
    }

    /// Folds acts one after the other: each must be a valid endorsement by whoever those before it admit, suspended or
    /// not, save that an act below its threshold waits for the other signatures.
    private static func roster(charter: Charter, acts: [SignedAct]) throws -> Roster {
        var endorsements: [Endorsement] = []
        var admitted = Roster(charter: charter)
        for signed in acts {
            guard let endorsement = admitted.formerEndorsement(of: signed, in: charter.space) else {
                throw refusal("an act in it is not signed by a member in standing")
            }
            endorsements.append(endorsement)
            if endorsement.act.mayAdmitSigners(to: admitted) {
                admitted = Roster(charter: charter, permissions: endorsements, restrictions: [])
            }
        }
        return Roster(charter: charter, endorsements: endorsements)
    }

    private static func content(
        _ charter: SignedCharter, _ authority: Certificate, _ node: Certificate, _ addresses: [String],
        _ acts: [SignedAct], _ authorities: [[UInt8]], _ timestamp: Int64
    ) -> [UInt8] {
        var writer = CBORWriter(capacity: 4096 + acts.count * 1024)
        writer.array(parts)
        writer.text(label)
        writer.byteString(charter.encoded)
        writer.byteString(authority.der)
        writer.byteString(node.der)
        writer.array(addresses.count)
        for address in addresses { writer.text(address) }
        writer.array(acts.count)
        for signed in acts {
            writer.array(3)
            writer.byteString(signed.act)
            writer.digest(signed.signer.digest)
            writer.byteString(signed.signature.bytes)
        }
        writer.array(authorities.count)
        for authority in authorities { writer.byteString(authority) }
        writer.unsigned(UInt64(max(0, timestamp)))
        return writer.bytes
    }

    private static func refusal(_ message: String) -> ConcordError {
        ConcordError(.malformedInvite, "the invite is refused: \(message)")
    }
}

extension Invite {
    /// Puts the signed acts of a roster into an order in which each is valid after those before it, and
    /// leaves out repetitions and those that never become valid. O(acts²) in the worst case, O(acts) in
    /// causal order.
    public static func ordered(_ acts: [SignedAct], charter: Charter) -> [SignedAct] {
        var seen: Set<SignedAct> = []
        var waiting = acts.filter { seen.insert($0).inserted }
        var result: [SignedAct] = []
        var endorsements: [Endorsement] = []
        var admitted = Roster(charter: charter)
        while true {
            var left: [SignedAct] = []
            for signed in waiting {
                guard let endorsement = admitted.formerEndorsement(of: signed, in: charter.space) else {
                    left.append(signed)
                    continue
                }
                result.append(signed)
                endorsements.append(endorsement)
            }
            guard left.count < waiting.count else { return result }
            admitted = Roster(charter: charter, permissions: endorsements, restrictions: [])
            waiting = left
        }
    }
}

extension Act {
    /// Whether endorsements of this act may change who can sign others.
    fileprivate func mayAdmitSigners(to roster: Roster) -> Bool {
        switch self {
        case .admission(let admission): roster.role(admission.subject.id) != .member
        case .rotation: true
        default: false
        }
    }
}
