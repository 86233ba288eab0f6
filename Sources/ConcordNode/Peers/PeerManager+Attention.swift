// What should be looked at, the worst first, and the verdict that follows. Every line names the next step.

import ConcordAPI
import ConcordModel
import ConcordSync

extension PeerManager {
    func attention(
        spaces: [StatusDocument.Space], peers: [StatusDocument.Peer],
        others: [StatusDocument.Attention], now: Int64
    ) throws -> [StatusDocument.Attention] {
        let all =
            try alarms.sorted { $0.key < $1.key }.map { key, error in
                let code = acquaintances[key.node].flatMap { setting.trusted.authority(of: $0.known.member) }?
                    .code
                return line(error.code, .integrity, code, error.message)
            } + forkLines() + standingLines()
            + CertificateExpiry.attention(setting.identity.certificates, now: now)
            + spaces.flatMap(spaceLines) + missed(among: peers).flatMap(peerLines) + repairLines()
            + others
        let order: [StatusDocument.Attention.Severity] = [.integrity, .person, .degraded, .notice]
        return order.flatMap { severity in all.filter { $0.severity == severity } }
    }

    static func verdict(_ attention: [StatusDocument.Attention]) -> StatusDocument.Verdict {
        switch attention.first?.severity {
        case .integrity: .integrityFailure
        case .person: .needsAPerson
        case .degraded: .degraded
        case .notice, nil: .inStep
        }
    }

    private func line(
        _ code: ErrorCode, _ severity: StatusDocument.Attention.Severity, _ member: String?,
        _ message: String,
        action: String? = nil
    ) -> StatusDocument.Attention {
        .init(
            code: code.rawValue, severity: severity, member: member, message: message,
            action: action ?? "concord explain \(code.rawValue)")
    }

    /// Replicas that signed two changes of one number: an alarm as long as something of them has no effect and their
    /// member has done nothing about it.
    private func forkLines() throws -> [StatusDocument.Attention] {
        try setting.store.spaces().flatMap { space -> [StatusDocument.Attention] in
            let roster = try setting.store.roster(space.id)
            let forked = try setting.store.nodes(space.id).filter {
                $0.forkedAt != nil && $0.isVouchedFor
            }
            let replicas = Dictionary(grouping: forked, by: \.replica).sorted { $0.key < $1.key }
            return replicas.compactMap { _, segments in
                guard let one = segments.first else { return nil }
                let isSettled =
                    one.isRevoked || roster.role(one.member) == nil
                    || segments.allSatisfy { $0.effective == $0.sequence }
                let what =
                    "\(one.code), \(one.nodeName), wrote two histories from change \(one.forkedAt ?? 0) on in "
                return line(
                    .equivocation, isSettled ? .notice : .integrity, one.code,
                    what + "\(space.name): "
                        + (isSettled
                            ? "both are held"
                            : "both are held, and neither counts unless others built upon it"))
            }
        }
    }

    /// Our own member is suspended, or this node revoked.
    private func standingLines() throws -> [StatusDocument.Attention] {
        try setting.store.spaces().compactMap { space in
            let roster = try setting.store.roster(space.id)
            let member = setting.identity.memberID
            if roster.entry(member)?.suspensions.isEmpty == false {
                return line(.ourMemberSuspended, .person, nil, "our member is suspended in \(space.name)")
            }
            guard roster.isRevoked(setting.identity.nodeID, of: member) else { return nil }
            return line(.ourMemberSuspended, .person, nil, "our member revoked this node in \(space.name)")
        }
    }

    /// Stored texts that were found damaged since the daemon started. They are whole again, and the verdict is not theirs;
    /// the disk may be failing.
    private func repairLines() throws -> [StatusDocument.Attention] {
        let count = try setting.store.repairedTexts() - earlierRepairs
        guard count > 0 else { return [] }
        return [line(.corruptDatabase, .notice, nil, Doctor.repaired(count), action: "concord doctor")]
    }

    private func spaceLines(_ space: StatusDocument.Space) -> [StatusDocument.Attention] {
        guard space.conflicts > 0 else { return [] }
        let count = space.conflicts == 1 ? "1 conflict" : "\(space.conflicts) conflicts"
        return [
            line(
                .fieldInConflict, .person, nil, "\(count) to settle in \(space.name)",
                action: "concord conflicts")
        ]
    }

    /// The peers without those that need not be connected: in a large network a few are enough.
    private func missed(among peers: [StatusDocument.Peer]) -> [StatusDocument.Peer] {
        guard isLargeNetwork, links.count >= ActivePeers<PeerKey>.enough else { return peers }
        return peers.filter { ![.connecting, .unreachable, .silent].contains($0.state) }
    }

    private func peerLines(_ peer: StatusDocument.Peer) -> [StatusDocument.Attention] {
        let who =
            peer.memberName.map { name in peer.node.map { "\(name), \($0)" } ?? name } ?? peer.address
            ?? "a peer"
        let lack = peer.spaces.compactMap(\.theyLack).reduce(0, +)
        let behind = lack > 0 ? "; \(lack) of our changes are not there yet" : ""
        switch peer.state {
        case .connected:
            guard lack > 0 || peer.spaces.contains(where: { ($0.weLack ?? 1) > 0 || $0.theyLack == nil })
            else {
                return []
            }
            return [
                line(
                    .missingDependency, .degraded, peer.member, "\(who): catching up\(behind)",
                    action: "concord wait --in-step")
            ]
        case .connecting:
            return [line(.connectionFailed, .degraded, peer.member, "\(who): connecting\(behind)")]
        case .paused:
            guard isPausedHere(peer.member) else {
                return [
                    line(.peerPaused, .degraded, peer.member, "\(who): has paused exchange with us\(behind)")
                ]
            }
            return [
                line(
                    .peerPaused, .degraded, peer.member, "\(who): exchange is paused\(behind)",
                    action: "concord peer resume\(peer.member.map { " \($0)" } ?? "")")
            ]
        case .refused:
            let error = peer.lastError
            let code = error.flatMap { ErrorCode(rawValue: $0.code) } ?? .refusesOurCertificate
            return [line(code, .person, peer.member, "\(who): \(error?.message ?? "refuses us")\(behind)")]
        case .unreachable:
            let code = peer.lastError.flatMap { ErrorCode(rawValue: $0.code) } ?? .connectionFailed
            return [line(code, .degraded, peer.member, "\(who): not reached\(heard(peer))\(behind)")]
        case .silent:
            // A member that has no node yet lacks everything and nothing is wrong; a node that was met is missed.
            let isUnmet = peer.lastHeardAt == nil
            return [
                line(
                    .peerSilent, isUnmet ? .notice : .degraded, peer.member,
                    isUnmet ? "\(who): has not been met directly" : "\(who): silent\(heard(peer))\(behind)")
            ]
        }
    }

    private func isPausedHere(_ code: String?) -> Bool {
        paused.all || paused.members.contains { setting.trusted.authority(of: $0)?.code == code }
    }

    private func heard(_ peer: StatusDocument.Peer) -> String {
        guard let time = peer.lastHeardAt?.prefix(16).replacing("T", with: " ") else { return "" }
        return ", last heard of\(peer.road.via.map { " through \($0)" } ?? "") \(time) UTC"
    }
}
