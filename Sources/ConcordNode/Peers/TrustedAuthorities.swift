// Which members' nodes are let in: those of the members and observers in standing of any space held here. The table is a
// copy that TLS handshakes read on their own threads; it is replaced whole whenever a roster may have changed.

import ConcordCrypto
import ConcordModel
import ConcordStore
import Synchronization

/// The authorities of the members of the spaces that this node holds.
final class TrustedAuthorities: Sendable {
    private struct Table {
        var members: [MemberID: TrustedAuthority] = [:]
        /// Whose authority a key is, or was.
        var memberOfKey: [Digest: MemberID] = [:]
    }

    private let table = Mutex<Table>(Table())

    /// Replaces the table.
    ///
    /// - Returns: the members whose spaces or revoked nodes are not what they were, those among them that are in none any
    ///   more included.
    func replace(with authorities: [TrustedAuthority]) -> Set<MemberID> {
        var next = Table()
        for authority in authorities {
            next.members[authority.member] = authority
            for key in authority.keys.union(authority.formerKeys)
            where key == authority.member.digest || next.memberOfKey[key] == nil {
                next.memberOfKey[key] = authority.member
            }
        }
        return table.withLock { table in
            let (before, after) = (table.members, next.members)
            table = next
            return Set(before.keys).union(after.keys).filter { member in
                before[member]?.spaces != after[member]?.spaces
                    || before[member]?.revokedNodes != after[member]?.revokedNodes
            }
        }
    }

    /// The member by whose authority this peer is known, nil if there is none.
    func authority(of peer: PeerCertificates) -> TrustedAuthority? {
        guard let certificate = peer.authority else { return nil }
        return authority(ofKey: certificate.publicKey.fingerprint)
    }

    /// A member, nil if it is on no roster.
    func authority(of member: MemberID) -> TrustedAuthority? {
        table.withLock { $0.members[member] }
    }

    private func authority(ofKey key: Digest) -> TrustedAuthority? {
        table.withLock { table in table.memberOfKey[key].flatMap { table.members[$0] } }
    }

    /// All members, ascending by id.
    var all: [TrustedAuthority] {
        table.withLock { $0.members.values.sorted { $0.member < $1.member } }
    }

    /// Whether a node of a member may take part: it is not revoked, and the member not suspended everywhere.
    func isWelcome(_ node: NodeID, of member: MemberID) -> Bool {
        guard let authority = authority(of: member) else { return false }
        return !authority.spaces.isEmpty && !authority.revokedNodes.contains(node)
    }

    /// Whether a peer is let in, judged within the TLS handshake so that it is told the reason.
    func verdict(on peer: PeerCertificates, now seconds: Int64) -> PeerVerdict {
        let node = NodeID(certificate: peer.node)
        let verdict = peer.verdict(now: seconds) { certificate in
            let key = certificate.publicKey.fingerprint
            guard let authority = authority(ofKey: key) else { return false }
            // A replaced key vouches for the nodes that it certified before, and for no new ones.
            return authority.keys.contains(key) || authority.knownNodes.contains(node)
        }
        guard verdict == .accept, let authority = authority(of: peer) else { return verdict }
        return isWelcome(node, of: authority.member) ? .accept : .refuse(reason: .suspended)
    }
}
