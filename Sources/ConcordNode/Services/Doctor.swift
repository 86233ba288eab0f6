// Looks at everything that can be wrong with a node and can be found out cheaply: certificates, clock, disk, database,
// replicas, members, peers, operations that the rules refused. The log itself is verified by `concord verify`.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore

/// Examines a node, whether its daemon runs or not.
public struct Doctor: Sendable {
    typealias Check = DoctorDocument.Check

    /// How the codes of what is said of disk, backups and salvage begin.
    static let storageCodes = "E-50"

    let identity: NodeIdentity
    let store: ReplicaStore
    let now: Int64
    /// What SQLite found wrong with the database's pages, or why they could not be checked.
    let pageFault: ConcordError?

    /// A doctor for the node with this identity and replica.
    ///
    /// - Parameters:
    ///   - now: Milliseconds since 1970.
    ///   - pageFault: What ``ReplicaStore/checkPages(withIndexes:)`` threw.
    public init(identity: NodeIdentity, store: ReplicaStore, now: Int64, pageFault: ConcordError? = nil) {
        self.identity = identity
        self.store = store
        self.now = now
        self.pageFault = pageFault
    }

    /// Examines the node.
    ///
    /// - Parameter status: What the daemon knows of its peers and of the disk.
    public func examine(_ status: StatusDocument) throws -> DoctorDocument {
        var checks = certificates() + [disk(status.storage)]
        checks += [try clock(), try texts()]
        checks += pages()
        for space in try store.spaces() {
            let procedures = Procedures(
                charter: space.charter.charter, roster: try store.roster(space.id),
                carried: try store.endorsements(space.id))
            checks += try replicas(space, procedures) + members(space, procedures)
        }
        checks += network(status) + alarms(status)
        let refused = try store.refused(limit: DoctorLimits.refusedOperations)
        checks.append(Self.refusals(refused))
        return DoctorDocument(at: Timestamp.text(milliseconds: now), checks: checks, refused: refused)
    }

    // MARK: The node

    private func certificates() -> [Check] {
        [
            ("node", identity.nodeCertificate), ("agreement", identity.agreementCertificate),
            ("authority", identity.authorityCertificate),
        ].map { name, certificate in
            let days = (certificate.notAfter * 1000 - now) / 86_400_000
            let until = Timestamp.text(milliseconds: certificate.notAfter * 1000).prefix(10)
            if certificate.notBefore * 1000 > now {
                return Check(
                    check: "certificate", state: .person, message: "the \(name) certificate is not valid yet",
                    code: ErrorCode.certificateNotYetValid.rawValue, action: "set this machine's clock")
            }
            guard days <= DoctorLimits.certificateWarningDays || certificate.notAfter * 1000 < now else {
                return Check(
                    check: "certificate", state: .good,
                    message: "the \(name) certificate is valid until \(until)")
            }
            let message =
                certificate.notAfter * 1000 < now
                ? "the \(name) certificate expired on \(until)"
                : "the \(name) certificate expires on \(until), in \(days) days"
            return Check(
                check: "certificate", state: .person, message: message,
                code: ErrorCode.ourCertificateExpired.rawValue,
                action: name == "authority" ? "concord member rotate" : "concord node renew")
        }
    }

    private func disk(_ storage: StatusDocument.Storage) -> Check {
        guard let free = storage.freeBytes else {
            return Check(check: "disk", state: .unknown, message: "the free space of the disk is not known")
        }
        let amount = "\(free >> 20) MiB free on the disk of the home"
        guard free < DoctorLimits.lowDiskBytes else {
            return Check(check: "disk", state: .good, message: amount)
        }
        return Check(
            check: "disk", state: free < DoctorLimits.emptyDiskBytes ? .person : .degraded,
            message: "only \(amount)",
            code: ErrorCode.diskFull.rawValue, action: "make room")
    }

    /// Whether changes are dated later than this clock says: then this clock is slow, or their author's is fast.
    private func clock() throws -> Check {
        guard let latest = try store.latestTime(of: DoctorLimits.datedChanges),
            latest.at > now + DoctorLimits.clockTolerance
        else { return Check(check: "clock", state: .good, message: "no change is dated later than now") }
        return Check(
            check: "clock", state: .degraded,
            message: "a change of \(latest.member), node \(latest.node), is dated "
                + "\(Timestamp.text(milliseconds: latest.at)), later than this clock says",
            action: "compare the clocks of both machines")
    }

    /// Whether stored texts had to be made anew. The log, from which they were, is verified; the disk may be failing.
    private func texts() throws -> Check {
        let count = try store.repairedTexts()
        guard count > 0 else {
            return Check(check: "texts", state: .good, message: "no stored text was ever found damaged")
        }
        return Check(
            check: "texts", state: .degraded,
            message: Self.repaired(count) + " since this database was made",
            code: ErrorCode.corruptDatabase.rawValue, action: "check the disk, then concord verify")
    }

    /// What is said of stored texts that were found damaged.
    static func repaired(_ count: Int64) -> String {
        "\(count == 1 ? "1 stored text was" : "\(count) stored texts were") found damaged and made anew from the log"
    }

    // MARK: The spaces

    private func replicas(_ space: StoredSpace, _ procedures: Procedures) throws -> [Check] {
        let chains = try store.nodes(space.id)
        let forked = Set(chains.filter { $0.forkedAt != nil }.map(\.replica))
        guard !forked.isEmpty else {
            let count = Set(chains.map(\.replica)).count
            return [
                Check(
                    check: "replicas", state: .good,
                    message: "“\(space.name)”: none of \(count) replicas signed two changes of one number")
            ]
        }
        return forked.sorted().map { replica in
            let owner = chains.first { $0.replica == replica }
            let who = owner.map { "\(procedures.name($0.member)), node \($0.nodeName)" } ?? "an unknown node"
            return Check(
                check: "replicas", state: .integrity,
                message: "“\(space.name)”: replica \(replica.description.prefix(8)) of \(who) signed two "
                    + "changes of one number: its database was cloned or restored, or it deceives",
                code: ErrorCode.equivocation.rawValue,
                action: owner.map { "ask \(procedures.party($0.member).code) what happened" })
        }
    }

    private func members(_ space: StoredSpace, _ procedures: Procedures) -> [Check] {
        var checks: [Check] = []
        for entry in procedures.roster.entries where !entry.suspensions.isEmpty {
            let isOwn = entry.statement.id == identity.memberID
            checks.append(
                Check(
                    check: "members", state: isOwn ? .person : .good,
                    message: "“\(space.name)”: \(procedures.name(entry.statement.id)) is suspended",
                    code: isOwn ? ErrorCode.notInStanding.rawValue : nil, action: "concord member list"))
        }
        let own = procedures.pending.filter { $0.maySign.contains(identity.memberID) }.count
        if own > 0 {
            let count = own == 1 ? "1 act waits" : "\(own) acts wait"
            checks.append(
                Check(
                    check: "members", state: .good,
                    message: "“\(space.name)”: \(count) for a signature that \(identity.memberCode) may give",
                    action: "concord member list"))
        }
        return checks
    }

    // MARK: The others

    private func network(_ status: StatusDocument) -> [Check] {
        let road = status.node.proxy.map { proxy in
            Check(check: "network", state: .good, message: "peers are dialled by the HTTP proxy \(proxy)")
        }
        guard !status.peers.isEmpty else {
            return [Check(check: "network", state: .good, message: "no peer is known yet")]
                + (road.map { [$0] } ?? [])
        }
        return (road.map { [$0] } ?? []) + peers(status.peers)
    }

    private func peers(_ peers: [StatusDocument.Peer]) -> [Check] {
        peers.map { peer in
            let name = [peer.member, peer.node].compactMap { $0 }.joined(separator: " ")
            let who = name.isEmpty ? peer.address ?? "a peer" : name
            switch peer.state {
            case .connected:
                let time =
                    peer.roundTripMilliseconds.map { ", answers in \(Int64($0.rounded(.up))) ms" } ?? ""
                return Check(check: "network", state: .good, message: "\(who): connected over TLS\(time)")
            case .paused:
                return Check(check: "network", state: .good, message: "\(who): exchange is paused")
            case .connecting:
                return Check(check: "network", state: .unknown, message: "\(who): is being dialled")
            case .silent where peer.lastHeardAt == nil:
                return Check(
                    check: "network", state: .unknown, message: "\(who): has not been met directly")
            case .refused, .unreachable, .silent:
                let code = peer.lastError?.code
                let reason = peer.lastError?.message ?? "has not been heard of"
                return Check(
                    check: "network", state: peer.state == .refused ? .person : .degraded,
                    message: "\(who): \(reason)", code: code, action: code.map { "concord explain \($0)" })
            }
        }
    }

    /// What the daemon raised the alarm about, and whatever it says of disk, backups and salvage.
    private func alarms(_ status: StatusDocument) -> [Check] {
        let states: [StatusDocument.Attention.Severity: DoctorDocument.State] = [
            .integrity: .integrity, .person: .person, .degraded: .degraded,
        ]
        return status.attention.compactMap { item in
            guard let state = states[item.severity],
                item.severity == .integrity || item.code.hasPrefix(Self.storageCodes)
            else { return nil }
            return Check(
                check: "database", state: state, message: item.message, code: item.code, action: item.action)
        }
    }

    /// What the check of the pages found; damage the alarm says.
    private func pages() -> [Check] {
        switch pageFault?.code {
        case nil: [Check(check: "pages", state: .good, message: "the pages of the database are sound")]
        case .corruptDatabase: []
        default:
            [
                Check(
                    check: "pages", state: .unknown,
                    message: "the pages of the database could not be checked: \(pageFault?.message ?? "")",
                    code: pageFault?.code.rawValue, action: pageFault?.action)
            ]
        }
    }

    private static func refusals(_ refused: [RefusedDocument]) -> Check {
        guard !refused.isEmpty else {
            return Check(check: "refused", state: .good, message: "the rules refused no operation")
        }
        let number =
            refused.count < DoctorLimits.refusedOperations ? "\(refused.count)" : "at least \(refused.count)"
        // A person can only mend what this node wrote: what others wrote in vain is theirs.
        let own = refused.contains(where: \.own)
        return Check(
            check: "refused", state: own ? .person : .good,
            message: "the rules refused \(number) \(refused.count == 1 ? "operation" : "operations")"
                + (own ? ", some of them this node's own" : ", none of them this node's own"),
            code: ErrorCode.notTheOwner.rawValue)
    }
}

extension StoreServices {
    public func doctor() async throws -> DoctorDocument {
        // What is found stops all writing, and stands in the status.
        var pageFault: ConcordError?
        do {
            try await store.checkPages(withIndexes: true)
        } catch {
            pageFault = ConcordError(wrapping: error)
        }
        return try Doctor(
            identity: nodeIdentity, store: store, now: clock(), pageFault: pageFault
        ).examine(try await peers.status())
    }
}
