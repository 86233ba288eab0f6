// Which authorities' nodes are let in: those of the members and observers of any space held here. The table is a copy
// that TLS handshakes read on their own threads; it is replaced whole whenever a roster may have changed.

import ConcordCrypto
import ConcordModel
import ConcordStore
import Synchronization

/// The authorities that are on the roster of a space that this node holds.
final class TrustedAuthorities: Sendable {
    private let table = Mutex<[MemberID: TrustedAuthority]>([:])

    /// Replaces the table.
    ///
    /// - Returns: the members whose spaces are not what they were, those among them that are in none any more included.
    func replace(with authorities: [TrustedAuthority]) -> Set<MemberID> {
        let next = Dictionary(authorities.map { ($0.member, $0) }) { first, _ in first }
        return table.withLock { table in
            let changed = Set(table.keys).union(next.keys).filter { member in
                Set(table[member]?.spaces ?? []) != Set(next[member]?.spaces ?? [])
            }
            table = next
            return changed
        }
    }

    /// The authority by which this peer is known, nil if there is none.
    func authority(of peer: PeerCertificates) -> TrustedAuthority? {
        guard let certificate = peer.authority else { return nil }
        return authority(of: MemberID(authority: certificate))
    }

    /// The authority of a member, nil if the member is on no roster.
    func authority(of member: MemberID) -> TrustedAuthority? {
        table.withLock { $0[member] }
    }

    /// All authorities, ascending by member id.
    var all: [TrustedAuthority] {
        table.withLock { $0.values.sorted { $0.member < $1.member } }
    }

    /// Whether a peer is let in, judged within the TLS handshake so that it is told the reason.
    func verdict(on peer: PeerCertificates, now seconds: Int64) -> PeerVerdict {
        peer.verdict(now: seconds) { authority(of: MemberID(authority: $0)) != nil }
    }
}
