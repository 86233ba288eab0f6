// Receipts (Protocol/exchange.md, "Receipts"): this node says now and then, under its signature, what it holds; what
// others said tells how far our changes have come where no session of ours leads.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync

/// What the nodes of a space said to hold.
struct ReceiptBook {
    /// The latest receipt of each node, ascending by node.
    let receipts: [Receipt]
    /// What is held here, by the names of chains.
    let held: VersionVector

    /// How many changes that are held here a node did not hold when it signed.
    func lacking(_ receipt: Receipt) -> Int64 {
        held.elements.reduce(0) {
            $0 + Int64(clamping: $1.sequence - min($1.sequence, receipt.holds[$1.replica]))
        }
    }

    /// The receipt of a node.
    func receipt(of node: NodeID) -> Receipt? { receipts.first { $0.node == node } }

    /// The receipt of the member's node that holds most.
    func best(of member: MemberID) -> Receipt? {
        receipts.filter { $0.member == member }.min { (lacking($0), $0.node) < (lacking($1), $1.node) }
    }

    /// The highest change of a replica that a node of the member said to hold; nil if none said anything.
    func reached(_ replica: ReplicaID, by member: MemberID) -> UInt64? {
        receipts.filter { $0.member == member }.map { $0.holds[replica] }.max()
    }
}

extension PeerManager {
    /// The receipts of a space.
    func receiptBook(_ space: SpaceID) throws -> ReceiptBook {
        ReceiptBook(
            receipts: try ReceiptKeeper(store: setting.store).all(of: space),
            held: try setting.store.held(space).vector)
    }

    /// The receipts of all spaces.
    func receiptBooks() throws -> [SpaceID: ReceiptBook] {
        var books: [SpaceID: ReceiptBook] = [:]
        for space in try setting.store.spaces() { books[space.id] = try receiptBook(space.id) }
        return books
    }

    /// Signs what is held now, where the last receipt is old enough and says something else.
    ///
    /// - Returns: the milliseconds after which another is due if nothing comes meanwhile; nil if none is.
    func issueReceipts() async -> Int64? {
        guard setting.store.storageTrouble == nil else { return PeerLimits.receiptRetry }
        var soonest: Int64?
        do {
            for space in try setting.store.spaces() {
                guard let wait = try await issueReceipt(space.id) else { continue }
                soonest = min(soonest ?? wait, wait)
            }
        } catch {
            report("a receipt cannot be made", ConcordError(wrapping: error))
            return PeerLimits.receiptRetry
        }
        return soonest
    }

    /// - Returns: the milliseconds after which it is to be asked again, although nothing comes meanwhile.
    private func issueReceipt(_ space: SpaceID) async throws -> Int64? {
        let identity = setting.identity
        let now = setting.clock()
        let held = try setting.store.heldVector(space).vector
        // In the middle of catching up a receipt would be out of date at once; and who is not on the roster signs none.
        let isCatchingUp = links.values.contains { ($0.progress[space]?.weLack ?? 0) > 0 }
        guard !isCatchingUp else { return 0 }
        guard !held.isEmpty, try setting.store.roster(space).entry(identity.memberID) != nil else {
            return nil
        }
        let keeper = ReceiptKeeper(store: setting.store)
        if let last = try keeper.all(of: space).first(where: { $0.node == identity.nodeID }) {
            let isNews = last.holds != held || last.agreement != identity.agreementCertificate.der
            guard isNews else { return nil }
            // A clock that was set back does not put the next one off for longer than the interval.
            let wait = min(last.timestamp + Limits.receiptInterval - now, Limits.receiptInterval)
            guard wait <= 0 else { return wait }
        }
        let receipt = try Receipt(
            space: space, member: identity.memberID, holds: held, timestamp: now,
            certificate: identity.nodeCertificate, agreement: identity.agreementCertificate,
            sign: setting.signReceipt)
        guard try await !setting.store.keep([StoredReceipt(receipt)], in: space).isEmpty else {
            return Limits.receiptInterval
        }
        for link in links.values { link.driver.submit(.receipts(space, [receipt])) }
        return nil
    }

    /// The highest change of this node's replica that every other member is known to hold; nil while of one nothing is
    /// known.
    func heldByAll(_ space: StoredSpace, _ book: ReceiptBook) throws -> UInt64? {
        guard let replica = space.ownReplica else { return nil }
        let own = book.held[replica]
        var lowest: UInt64?
        for entry in try setting.store.roster(space.id).entries where entry.suspensions.isEmpty {
            let member = entry.statement.id
            guard member != setting.identity.memberID else { continue }
            let isInStep = links.values.contains {
                $0.member == member && $0.progress[space.id]?.theyLack == 0
            }
            guard let reached = isInStep ? own : book.reached(replica, by: member) else { return nil }
            lowest = min(lowest ?? own, reached)
        }
        return lowest
    }
}
