// For whom a bundle is: from what a person typed to nodes with a certificate to encrypt to, and what each of them is known
// to hold. Both come from the nodes' receipts; a certificate may also be given by hand, for a node that nobody has met.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync

/// A node, or any node of a member, for which a bundle is made.
struct BundleAddressee: Sendable {
    let recipient: BundleRecipient
    /// The member's code.
    let code: String
    /// The node's name, if it is known.
    let node: String?
    /// To which it is encrypted; nil in a plain bundle.
    let certificate: Certificate?
    /// What it said to hold; nil if it never did.
    let holds: VersionVector?
}

/// Finds the addressees in one space.
struct BundleDirectory {
    /// The word that stands for every other member.
    static let everyone = "everyone"

    /// A node that is left out, and why.
    struct Omission: Sendable {
        let code: String
        let node: String
        let reason: ConcordError
    }

    let space: StoredSpace
    let roster: Roster
    let receipts: [Receipt]
    /// The nodes of which changes are held.
    let knownNodes: Set<NodeID>
    let own: NodeID
    let ownMember: MemberID
    /// Milliseconds since 1970.
    let now: Int64
    private(set) var omissions: [Omission] = []

    init(_ space: StoredSpace, store: ReplicaStore, identity: NodeIdentity, now: Int64) throws {
        self.space = space
        roster = try store.roster(space.id)
        receipts = try ReceiptKeeper(store: store).all(of: space.id)
        knownNodes = Set(try store.nodes(space.id).map(\.node))
        own = identity.nodeID
        ownMember = identity.memberID
        self.now = now
    }

    /// The addressees that these words and certificates mean, ascending and each once.
    ///
    /// - Parameter certificates: in PEM, each with one certificate for key agreement among others.
    /// - Throws: ``ConcordError`` E-4008, E-4015, E-2052, E-3058 or E-2004.
    mutating func addressees(
        _ words: [String], certificates: [String], isPlain: Bool
    ) throws -> [BundleAddressee] {
        var found: [BundleRecipient: BundleAddressee] = [:]
        for word in words {
            for entry in try entries(word) {
                let isOneOfMany = word.lowercased() == Self.everyone
                for addressee in try nodes(of: entry, isPlain: isPlain, isOneOfMany: isOneOfMany) {
                    found[addressee.recipient] = addressee
                }
            }
        }
        for pem in certificates {
            let addressee = try holder(of: pem, isPlain: isPlain)
            found[addressee.recipient] = found[addressee.recipient] ?? addressee
        }
        guard !found.isEmpty else {
            throw ConcordError(
                .recipientUnknown, omissions.first.map { $0.reason.message } ?? "the bundle is for nobody",
                action: "say for whom it is with --for or --to")
        }
        guard found.count <= BundleLimits.recipients else {
            throw ConcordError(
                .limitExceeded, "a bundle has at most \(BundleLimits.recipients) recipients",
                action: "make several, each for some of them")
        }
        return found.values.sorted { $0.recipient < $1.recipient }
    }

    // MARK: Members

    private func entries(_ word: String) throws -> [Roster.Entry] {
        if word.lowercased() == Self.everyone {
            return roster.entries.filter { $0.suspensions.isEmpty && $0.statement.id != ownMember }
        }
        let coded = roster.entries.filter { $0.statement.code == UTF8Text(word) }
        let digits = word.lowercased()
        let found =
            coded.isEmpty && digits.utf8.count >= 8
            ? roster.entries.filter { $0.statement.id.description.hasPrefix(digits) } : coded
        guard let entry = found.first else {
            throw ConcordError(
                .unknownMember, "\(word.prefix(64)) is not on the roster of “\(space.name)”")
        }
        guard found.count == 1 else {
            throw ConcordError(.ambiguousMember, "“\(word.prefix(64))” means \(found.count) members")
        }
        guard entry.suspensions.isEmpty else {
            throw ConcordError(.peerSuspended, "\(word.prefix(64)) is suspended in “\(space.name)”")
        }
        return [entry]
    }

    private mutating func nodes(
        of entry: Roster.Entry, isPlain: Bool, isOneOfMany: Bool
    ) throws -> [BundleAddressee] {
        let member = entry.statement.id
        let code = entry.statement.code.string
        let known = receipts.filter {
            $0.member == member && $0.node != own && !roster.isRevoked($0.node, of: member)
        }
        if isPlain {
            let vectors = known.map(\.holds)
            let common = vectors.dropFirst().reduce(vectors.first) { $0?.intersection($1) }
            return [
                BundleAddressee(
                    recipient: BundleRecipient(member: member, key: nil), code: code, node: nil,
                    certificate: nil,
                    holds: common)
            ]
        }
        var usable: [BundleAddressee] = []
        var reason: ConcordError?
        for receipt in known {
            let name = (try? Certificate(der: receipt.certificate))?.subject.commonName ?? ""
            do {
                guard let der = receipt.agreement, let certificate = try? Certificate(der: der) else {
                    throw ConcordError(
                        .recipientUnknown,
                        "\(code)'s node \(name) has not shown a certificate for key agreement")
                }
                try check(certificate, of: entry, nodes: [receipt.node])
                usable.append(
                    BundleAddressee(
                        recipient: BundleRecipient(member: member, key: certificate.publicKey.fingerprint),
                        code: code, node: name, certificate: certificate, holds: receipt.holds))
            } catch let error as ConcordError {
                reason = reason ?? error
                omissions.append(Omission(code: code, node: name, reason: error))
            }
        }
        guard usable.isEmpty else { return usable }
        let refusal =
            reason
            ?? ConcordError(
                .recipientUnknown, "nothing was ever heard of a node of \(code) that could receive a bundle")
        guard isOneOfMany else { throw refusal }
        if known.isEmpty { omissions.append(Omission(code: code, node: "", reason: refusal)) }
        return []
    }

    /// Throws unless a certificate for key agreement may be encrypted to now.
    ///
    /// - Parameter nodes: whose it is, as far as that is known.
    private func check(_ certificate: Certificate, of entry: Roster.Entry, nodes: [NodeID]) throws {
        let name = "\(entry.statement.code)'s node \(certificate.subject.commonName)"
        let seconds = now / 1000
        guard certificate.purpose == .agreement else {
            throw ConcordError(.recipientUnknown, "the certificate of \(name) is not made for key agreement")
        }
        guard seconds <= certificate.notAfter else {
            throw ConcordError(
                .recipientUnknown, "the certificate of \(name) has expired",
                action: "ask its administrator to renew it, or give a newer agreement.pem with --to")
        }
        guard seconds >= certificate.notBefore else {
            throw ConcordError(
                .certificateNotYetValid, "the certificate of \(name) is not valid yet")
        }
        // A replaced key vouches for the nodes that it certified before, and for no new ones.
        let isKnown = nodes.contains { knownNodes.contains($0) }
        guard Self.isIssued(certificate, by: entry.authorities + (isKnown ? entry.formerAuthorities : []))
        else {
            throw ConcordError(
                .recipientUnknown, "no authority of its member issued the certificate of \(name)")
        }
    }

    private static func isIssued(_ certificate: Certificate, by authorities: [[UInt8]]) -> Bool {
        authorities.contains { (try? Certificate(der: $0)).map { certificate.isIssued(by: $0) } ?? false }
    }

    // MARK: Certificates given by hand

    private func holder(of pem: String, isPlain: Bool) throws -> BundleAddressee {
        let chain = try ConcordError.mappingCrypto("the recipient's certificate") {
            try Certificate.chain(pem: pem)
        }
        let made = chain.filter { $0.purpose == .agreement }
        guard let certificate = made.first, made.count == 1 else {
            throw ConcordError(
                .malformedCertificate,
                "the recipient's file holds \(made.count) certificates for key agreement where one is expected",
                action: "give its agreement.pem, or what `concord node certify` wrote for it")
        }
        let issuer = roster.entries.first {
            Self.isIssued(certificate, by: $0.authorities + $0.formerAuthorities)
        }
        guard let entry = issuer else {
            throw ConcordError(
                .recipientUnknown,
                "the certificate of \(certificate.subject.memberCode), \(certificate.subject.commonName), is of nobody on the roster of “\(space.name)”",
                action: "admit its member first")
        }
        guard entry.suspensions.isEmpty else {
            throw ConcordError(
                .peerSuspended,
                "\(entry.statement.code), whose certificate was given, is suspended in “\(space.name)”")
        }
        let key = certificate.publicKey.fingerprint
        let receipt = receipts.first { receipt in
            receipt.agreement.flatMap { try? Certificate(der: $0) }?.publicKey.fingerprint == key
        }
        // The file may show the node's signing certificate as well, as `concord node certify` writes it.
        let nodes =
            chain.filter { $0.purpose == .signing }.map { NodeID(certificate: $0) }
            + [receipt?.node].compactMap { $0 }
        if nodes.contains(where: { roster.isRevoked($0, of: entry.statement.id) }) {
            throw ConcordError(
                .recipientUnknown, "the node whose certificate was given was revoked by its member",
                action: "give the certificate of another node of that member")
        }
        // A certificate for key agreement alone does not say of which node it is.
        guard !nodes.isEmpty || !roster.revoked.contains(where: { $0.member == entry.statement.id }) else {
            throw ConcordError(
                .recipientUnknown,
                "\(entry.statement.code) revoked nodes, and the certificate that was given may be of one of them",
                action: "give the file that `concord node certify` wrote for the node, which names it")
        }
        try check(certificate, of: entry, nodes: nodes)
        return BundleAddressee(
            recipient: BundleRecipient(member: entry.statement.id, key: key),
            code: entry.statement.code.string,
            node: certificate.subject.commonName, certificate: isPlain ? nil : certificate,
            holds: receipt?.holds)
    }
}
