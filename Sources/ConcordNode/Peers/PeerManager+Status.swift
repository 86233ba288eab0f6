// The status document, put together from what sessions reported and what the replica holds. What is not known is nil.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync

extension PeerManager {
    func status() async throws -> StatusDocument {
        let now = setting.clock()
        var spaces: [StatusDocument.Space] = []
        let books = try receiptBooks()
        for space in try setting.store.spaces() {
            guard let book = books[space.id] else { continue }
            do {
                spaces.append(try await document(of: space, book))
            } catch {
                // Of a damaged database the rest is still to be said; see ``StorageKeeper``.
                guard setting.store.storageTrouble?.kind == .damaged else { throw error }
            }
        }
        let peers = peerDocuments(books)
        let free = FileSystem.freeBytes(setting.home.path)
        let care =
            StorageKeeper.attention(
                setting.store, freeBytes: free, reserve: setting.configuration.reserveBytes)
            + (try await setting.backups.attention()) + (await setting.salvaged.attention())
        let attention = try attention(
            spaces: spaces, peers: peers, others: care + (await setting.attachments.attention()), now: now)
        return StatusDocument(
            at: Timestamp.text(milliseconds: now), verdict: Self.verdict(attention), node: nodeDocument(now),
            spaces: spaces, peers: peers, attention: attention,
            storage: .init(
                databaseBytes: setting.store.databaseBytes, blobBytes: await setting.attachments.usedBytes,
                freeBytes: free,
                missingBlobs: await setting.attachments.missingCount(),
                wantedBlobs: Int64(await setting.attachments.missing.count),
                reserveBytes: setting.configuration.reserveBytes, trouble: trouble),
            backup: try await setting.backups.document(),
            refusals: refusals.documents)
    }

    private var trouble: StatusDocument.Storage.Trouble? {
        setting.store.storageTrouble.map {
            .init(
                kind: $0.kind.rawValue, code: $0.error.code.rawValue, message: $0.error.message,
                since: Timestamp.text(milliseconds: $0.since))
        }
    }

    private func nodeDocument(_ now: Int64) -> StatusDocument.Node {
        let identity = setting.identity
        let expiry = identity.nodeCertificate.notAfter * 1000
        return .init(
            member: identity.memberCode, memberName: identity.memberName, name: identity.nodeName,
            id: identity.nodeID.description, version: NodeVersion.text,
            protocol: Int(SyncLimits.levels.upperBound), uptimeSeconds: (now - startedAt) / 1000,
            certificate: .init(
                expiresAt: Timestamp.text(milliseconds: expiry), daysLeft: (expiry - now) / 86_400_000),
            listening: listening, proxy: setting.configuration.proxy?.description)
    }

    private func document(
        of space: StoredSpace, _ book: ReceiptBook
    ) async throws -> StatusDocument.Space {
        let counts = try setting.store.counts(space.id)
        let (held, digest) = try await setting.store.heldWithDigest(space.id)
        let vector = Dictionary(
            held.vector.elements.map { ($0.replica.description, $0.sequence) }
        ) { first, _ in first }
        return .init(
            id: space.id.description, name: space.name, replica: space.ownReplica?.description,
            changes: counts.changes, records: counts.records, conflicts: counts.conflicts,
            kinds: counts.kinds,
            digest: digest.description, versionVector: vector, heldByAll: try heldByAll(space, book))
    }

    // MARK: Peers

    /// The nodes that were met, the addresses that nobody answered at yet, and the members without any node, in
    /// this order; those in trouble first.
    func peerDocuments() throws -> [StatusDocument.Peer] { peerDocuments(try receiptBooks()) }

    private func peerDocuments(_ books: [SpaceID: ReceiptBook]) -> [StatusDocument.Peer] {
        // Who left every roster is no peer any more, unless a session with it is just ending.
        let present = acquaintances.values.filter {
            setting.trusted.authority(of: $0.known.member) != nil || links[$0.known.node] != nil
        }
        var documents = present.map { document(of: $0, books) }
        var met = Set(present.map(\.known.member))
        for (address, road) in roads where !road.isSelf && residents(of: address, road).isEmpty {
            documents.append(document(of: address, road))
            if let member = road.member { met.insert(member) }
        }
        for authority in setting.trusted.all
        where !met.contains(authority.member) && authority.member != setting.identity.memberID {
            documents.append(unmet(authority, books))
        }
        return documents.sorted { a, b in
            (a.state == .connected ? 1 : 0, a.member ?? "~", a.node ?? a.address ?? "")
                < (b.state == .connected ? 1 : 0, b.member ?? "~", b.node ?? b.address ?? "")
        }
    }

    private func document(
        of acquaintance: Acquaintance, _ books: [SpaceID: ReceiptBook]
    ) -> StatusDocument.Peer {
        let known = acquaintance.known
        let link = links[known.node]
        let receipts = books.compactMapValues { $0.receipt(of: known.node) }
        let relayed = link == nil ? newest(receipts, since: known.lastHeard) : nil
        let authority = setting.trusted.authority(of: known.member)
        return .init(
            member: authority?.code ?? String(known.member.description.prefix(8)),
            memberName: authority?.name,
            node: known.name, address: known.addresses.first,
            road: link != nil ? .init(kind: "direct") : relayed.map(road) ?? .init(kind: "none"),
            state: state(of: acquaintance, link),
            lastHeardAt: (relayed?.timestamp ?? lastHeard(known, link)).map {
                Timestamp.text(milliseconds: $0)
            },
            spaces: progress(of: acquaintance, link, authority?.spaces ?? [], books, receipts),
            roundTripMilliseconds: link?.roundTrip.map(Double.init), reach: acquaintance.health.reach,
            bytesReceived: acquaintance.bytesReceived + Int64(link?.driver.connection.bytesReceived ?? 0),
            bytesSent: acquaintance.bytesSent + Int64(link?.driver.connection.bytesSent ?? 0),
            lastError: acquaintance.health.lastError)
    }

    private func state(of acquaintance: Acquaintance, _ link: Link?) -> StatusDocument.Peer.State {
        if isPaused(acquaintance.known.member) || acquaintance.pausedUs { return .paused }
        if let link { return link.hello == nil ? .connecting : .connected }
        if acquaintance.health.isRefused { return .refused }
        if acquaintance.health.attempts.isEmpty, !acquaintance.known.addresses.isEmpty { return .connecting }
        return acquaintance.known.addresses.isEmpty ? .silent : .unreachable
    }

    private func lastHeard(_ known: KnownPeer, _ link: Link?) -> Int64? {
        guard let link else { return known.lastHeard }
        return setting.clock() - Int64(link.driver.silence / .milliseconds(1))
    }

    private func progress(
        of acquaintance: Acquaintance, _ link: Link?, _ spaces: [SpaceID], _ books: [SpaceID: ReceiptBook],
        _ receipts: [SpaceID: Receipt]
    ) -> [StatusDocument.Progress] {
        let now = setting.clock()
        // A space that the member has been admitted to and this node of it has not joined is not exchanged.
        let shared = link?.hello.map { Set($0.sharedSpaces) }
        return spaces.sorted().filter { shared?.contains($0) ?? true }.map { space in
            if let link {
                let progress = link.progress[space]
                return .init(
                    id: space.description, theyLack: progress?.theyLack, weLack: progress?.weLack,
                    asOf: progress.map { _ in Timestamp.text(milliseconds: now) })
            }
            let last = acquaintance.lastProgress[space]
            if let receipt = receipts[space], let book = books[space], receipt.timestamp > last?.at ?? 0 {
                return Self.progress(by: receipt, book)
            }
            guard let last else {
                return .init(id: space.description, theyLack: nil, weLack: nil, asOf: nil)
            }
            // What was held here since then, the peer cannot have from us.
            let held = (try? setting.store.space(space).changes) ?? last.held
            return .init(
                id: space.description, theyLack: last.theyLack + held - last.held, weLack: nil,
                asOf: Timestamp.text(milliseconds: last.at))
        }
    }

    private func document(of address: NodeAddress, _ road: Road) -> StatusDocument.Peer {
        let state: StatusDocument.Peer.State =
            paused.all || road.member.map(isPaused) ?? false
            ? .paused
            : road.health.isRefused
                ? .refused
                : road.health.attempts.isEmpty ? .connecting : .unreachable
        let authority = road.member.flatMap { setting.trusted.authority(of: $0) }
        return .init(
            member: authority?.code, memberName: authority?.name, node: nil, address: address.description,
            road: .init(kind: "none"),
            state: state, lastHeardAt: nil, spaces: [], roundTripMilliseconds: nil, reach: road.health.reach,
            bytesReceived: 0, bytesSent: 0, lastError: road.health.lastError)
    }

    /// A member that was never met directly; what is known of it comes from its receipts.
    private func unmet(_ authority: TrustedAuthority, _ books: [SpaceID: ReceiptBook]) -> StatusDocument.Peer
    {
        let receipts = books.compactMapValues { $0.best(of: authority.member) }
        let newest = newest(receipts, since: nil)
        return .init(
            member: authority.code, memberName: authority.name,
            node: newest.flatMap { try? Certificate(der: $0.certificate) }?.subject.commonName, address: nil,
            road: newest.map(road) ?? .init(kind: "none"),
            state: isPaused(authority.member) ? .paused : .silent,
            lastHeardAt: newest.map { Timestamp.text(milliseconds: $0.timestamp) },
            spaces: authority.spaces.sorted().map { space in
                guard let receipt = receipts[space], let book = books[space] else {
                    return .init(id: space.description, theyLack: nil, weLack: nil, asOf: nil)
                }
                return Self.progress(by: receipt, book)
            },
            roundTripMilliseconds: nil, reach: "", bytesReceived: 0, bytesSent: 0, lastError: nil)
    }

    // MARK: By receipts

    private static func progress(by receipt: Receipt, _ book: ReceiptBook) -> StatusDocument.Progress {
        .init(
            id: receipt.space.description, theyLack: book.lacking(receipt), weLack: nil,
            asOf: Timestamp.text(milliseconds: receipt.timestamp))
    }

    /// The newest of a node's receipts, if it is newer than the last word that it said itself.
    private func newest(_ receipts: [SpaceID: Receipt], since lastHeard: Int64?) -> Receipt? {
        receipts.values.filter { $0.timestamp > lastHeard ?? 0 }.max {
            ($0.timestamp, $0.space) < ($1.timestamp, $1.space)
        }
    }

    private func road(by receipt: Receipt) -> StatusDocument.Road {
        .init(
            kind: "relay", via: receiptRoads[receipt.node].flatMap { setting.trusted.authority(of: $0)?.code }
        )
    }
}
