// `concord node revoke`: a node of the own member is lost, and nothing that it signs from now on is to count. The act
// is signed by the member's authority alone and carried by another of its nodes.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordCrypto
import ConcordModel
import ConcordNode

extension Node {
    /// Revokes a node.
    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke", abstract: "Sign that a node of the own member is revoked, for good.",
            discussion: """
                In every space in which the node has written, unless --space names one. Peers no longer exchange \
                with it. What it wrote up to the cut-off stays in effect, and so does what others built upon. \
                --keep says where the cut-off is: `now`, all that this node holds (the default); `none`; a day or \
                moment, by the lost node's own clock; REPLICA:NUMBER, as `concord member list --json` shows them; \
                repeatable. A node that has written nothing yet is named by its id in full.
                """)

        @Argument(help: "The node's name, or the beginning of its id.") var node: String
        @Option(help: "Why; everybody reads it.") var reason: String?
        @Option(help: ArgumentHelp("What stays in effect.", valueName: "now|none|day|replica:number"))
        var keep: [String] = []
        @OptionGroup var options: ActOptions

        private struct Revoked: Encodable {
            var node: String
            var nodeId: String
            var acts: [ActDocument]
        }

        func run() async throws {
            guard let reason, !reason.isEmpty else {
                throw ConcordError(
                    .usage, "a revocation needs a reason, which everybody reads",
                    action: "give --reason \"…\"")
            }
            var found: [(flow: ActFlow, target: Target)] = []
            for space in try await spaces() {
                let flow = try await ActFlow(options, space: space)
                guard let own = flow.ownLine, let target = try Target(node, of: own) else { continue }
                found.append((flow, target))
            }
            guard let first = found.first?.target else {
                throw ConcordError(
                    .unknownMember, "no node “\(node.prefix(64))” of this node's member is known here",
                    action: "see `concord member list --json`, or give the node's id in full")
            }
            guard found.allSatisfy({ $0.target.id == first.id }) else {
                throw ConcordError(
                    .ambiguousMember, "“\(node.prefix(64))” means several nodes",
                    action: "give the beginning of the node's id, as `concord member list --json` shows it")
            }
            if options.offlineOut != nil {
                guard found.count == 1 else {
                    throw ConcordError(
                        .ambiguousSpace, "the node wrote in \(found.count) spaces: an act for each is needed")
                }
                return try await found[0].flow.finish(
                    try await draft(found[0].flow, found[0].target, reason: reason))
            }
            var acts: [ActDocument] = []
            for (flow, target) in found {
                guard let bytes = try await draft(flow, target, reason: reason).encoded else {
                    preconditionFailure("a draft of an unknown kind")
                }
                acts.append(
                    try await options.common.daemon.endorse(
                        try flow.sign(bytes), in: flow.guide.document.space
                    )
                    .document)
            }
            report(first, acts)
        }

        private func spaces() async throws -> [String] {
            if let name = options.space.name { return [try await options.common.space(name).id] }
            return try await options.common.daemon.spaces().document.spaces.map(\.id)
        }

        /// The act, after having said what it does.
        private func draft(_ flow: ActFlow, _ target: Target, reason: String) async throws -> Act {
            let keeps = try await flow.keeps(keep, of: target.member)
            for sentence in try flow.guide.consequences(of: keeps, for: target.member) {
                options.common.output.remark("Note: \(TerminalText.escaped(sentence)).")
            }
            return try flow.guide.revocation(
                of: target.id, keeping: keeps, reason: reason, now: WallClock.milliseconds())
        }

        private func report(_ target: Target, _ acts: [ActDocument]) {
            let output = options.common.output
            var lines = acts.flatMap { MembershipView.signed($0, style: output.style) }
            lines.append(
                "The node \(target.name) (\(target.id.description.prefix(16))) is revoked wherever this is known."
            )
            lines.append("It cannot be taken back: a new node gets new keys, by `concord node request`.")
            output.result(
                Revoked(node: target.name, nodeId: target.id.description, acts: acts),
                lines.map(TerminalText.escaped))
        }
    }
}

/// A node of the own member, and of the member's line on the roster only what is that node's.
private struct Target {
    let id: NodeID
    let name: String
    let member: MembersDocument.Member

    /// The node that is meant in this space; nil if it is not known there.
    ///
    /// - Throws: ``ConcordError`` E-4013 if it is revoked already, E-4015 if several are meant.
    init?(_ text: String, of own: MembersDocument.Member) throws {
        let digits = text.lowercased()
        let named = own.replicas.filter { $0.node == text }
        let replicas =
            named.isEmpty && digits.count >= RosterGuide.prefixDigits
            ? own.replicas.filter { $0.nodeId.hasPrefix(digits) } : named
        let ids = Set(replicas.map(\.nodeId))
        guard ids.count <= 1 else {
            throw ConcordError(
                .ambiguousMember,
                "“\(text.prefix(64))” means \(ids.count) nodes: "
                    + ids.sorted().map { String($0.prefix(16)) }.joined(separator: ", "),
                action: "give the beginning of the node's id instead")
        }
        guard let digest = ConcordCrypto.Digest(hex: ids.first ?? digits) else { return nil }
        guard !own.revokedNodes.contains(digest.description) else {
            throw ConcordError(.actInForce, "the node \(text.prefix(64)) is revoked already")
        }
        id = NodeID(digest)
        name = replicas.first?.node ?? String(digest.description.prefix(16))
        var member = own
        member.replicas = replicas
        self.member = member
    }
}

extension RosterGuide {
    /// The act by which the own member revokes one of its nodes.
    ///
    /// - Throws: ``ConcordError`` E-3002 for a reason that is too long.
    fileprivate func revocation(
        of node: NodeID, keeping keeps: VersionVector, reason: String, now: Int64
    ) throws -> Act {
        let reason = UTF8Text(reason)
        guard reason.byteCount <= Limits.reasonBytes else {
            throw ConcordError(
                .limitExceeded, "the reason has \(reason.byteCount) bytes, \(Limits.reasonBytes) are allowed")
        }
        return .revocation(Revocation(space: space, node: node, keeps: keeps, reason: reason, timestamp: now))
    }
}
