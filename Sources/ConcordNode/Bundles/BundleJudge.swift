// Whether this node may take a volume: it must be for it, of a space that it holds, and exported by a node of a member in
// standing, by the same rules as a TLS connection from that node would be, save that no dates are judged: a bundle may
// lie in a drawer for as long as it likes.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync

/// Judges volumes by what this node is and holds.
struct BundleJudge: Sendable {
    let member: MemberID
    /// The fingerprint of this node's key for key agreement.
    let key: Digest
    let store: ReplicaStore

    /// Throws unless the volume may be imported here.
    ///
    /// - Throws: ``ConcordError`` E-3053, E-3054 or E-3055.
    func check(_ signed: SignedBundleHeader) throws {
        let header = signed.header
        guard header.isFor(member, key: key) else {
            throw ConcordError(.bundleForOthers, "this node is not among the recipients of the bundle")
        }
        guard let space = try store.spaces().first(where: { $0.id == header.space }) else {
            throw ConcordError(
                .bundleOfUnknownSpace,
                "the bundle is of space \(header.space.description.prefix(16)), which is not held here")
        }
        try checkExporter(signed, in: space)
    }

    private func checkExporter(_ signed: SignedBundleHeader, in space: StoredSpace) throws {
        let roster = try store.roster(space.id)
        let exporter = signed.header.exporter
        let name =
            "\(signed.header.certificate.subject.memberCode), \(signed.header.certificate.subject.commonName)"
        var authorities: [[UInt8]]
        if let entry = roster.entry(exporter) {
            guard entry.suspensions.isEmpty else {
                throw ConcordError(
                    .bundleExporterRefused, "the bundle was exported by \(name), whose member is suspended")
            }
            guard !roster.isRevoked(signed.node, of: exporter) else {
                throw ConcordError(
                    .bundleExporterRefused, "the bundle was exported by \(name), a node that was revoked")
            }
            authorities = entry.authorities
            // A replaced key vouches for the nodes that it certified before, and for no new ones.
            if try store.nodes(space.id).contains(where: { $0.node == signed.node && $0.member == exporter })
            {
                authorities += entry.formerAuthorities
            }
        } else if let inviter = space.inviter, inviter.member == exporter {
            authorities = [inviter.certificate]
        } else {
            throw ConcordError(
                .bundleExporterRefused,
                "the bundle was exported by \(name), whose member is not on the roster as known here")
        }
        let isCertified = authorities.contains { der in
            (try? Certificate(der: der)).map { signed.header.certificate.isIssued(by: $0) } ?? false
        }
        guard isCertified else {
            throw ConcordError(
                .bundleExporterRefused,
                "the bundle was exported by \(name), whose certificate no authority of its member issued")
        }
    }
}
