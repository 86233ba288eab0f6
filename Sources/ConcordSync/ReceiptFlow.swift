// The receipts of one space on their way to and from one peer. They wait until the two caught up, take a small part of
// what the link carries, and are outside window and acknowledgements: a receipt that is lost is replaced by the next.
// What a hostile peer sends is bounded here in number, before anybody verifies a signature.

import ConcordCrypto
import ConcordModel

/// Receipts in both directions.
struct ReceiptFlow: Sendable {
    /// A count that begins anew with each interval.
    private struct Quota: Sendable {
        var since = Milliseconds.min
        var count = 0

        mutating func renew(_ now: Milliseconds) {
            guard since == .min || now >= since + Limits.receiptInterval else { return }
            (since, count) = (now, 0)
        }
    }

    /// The feature by which a side says that it reads receipts with a certificate for key agreement.
    static let agreements: UTF8Text = "agreement"

    /// Whether the peer reads receipts with a certificate for key agreement; otherwise it is sent none of these.
    var showsAgreements = false

    /// After a frame of receipts the next one waits so long.
    private static let pause: Milliseconds = 1000

    /// The latest timestamps of what this side's store has.
    private var ours: [NodeID: Int64] = [:]
    /// The latest timestamps of what the peer sent or was sent.
    private var theirs: [NodeID: Int64] = [:]
    /// What the peer may lack.
    private var waiting: [NodeID: Receipt] = [:]
    private var sent = Quota()
    private var taken = Quota()
    private var nextFrameAt = Milliseconds.min

    /// Learns what this side's store has.
    mutating func add(_ receipts: [Receipt]) {
        for receipt in receipts where receipt.timestamp > ours[receipt.node, default: -1] {
            ours[receipt.node] = receipt.timestamp
            guard receipt.timestamp > theirs[receipt.node, default: -1],
                receipt.agreement == nil || showsAgreements
            else { continue }
            waiting[receipt.node] = receipt
        }
    }

    /// Takes what the peer sends.
    ///
    /// - Returns: what may be new to this side's store.
    mutating func take(_ receipts: [Receipt], now: Milliseconds) throws(SessionFault) -> [Receipt] {
        taken.renew(now)
        taken.count += receipts.count
        guard taken.count <= SyncLimits.receiptsTaken else {
            throw SessionFault(.limitExceeded, "more receipts came than nodes can have signed")
        }
        // What a peer invents must not pile up here; what is forgotten is at worst sent to it once more.
        if theirs.count > SyncLimits.receiptsTaken { theirs = [:] }
        var fresh: [Receipt] = []
        for receipt in receipts where receipt.timestamp > theirs[receipt.node, default: -1] {
            theirs[receipt.node] = receipt.timestamp
            if let own = waiting[receipt.node], own.timestamp <= receipt.timestamp {
                waiting[receipt.node] = nil
            }
            if receipt.timestamp > ours[receipt.node, default: -1] { fresh.append(receipt) }
        }
        return fresh
    }

    /// When the next frame may be sent; nil if nothing waits.
    var dueAt: Milliseconds? {
        guard !waiting.isEmpty else { return nil }
        guard sent.count >= SyncLimits.receiptsSent else { return nextFrameAt }
        return max(nextFrameAt, sent.since + Limits.receiptInterval)
    }

    /// The next frame, if it is time for one.
    ///
    /// - Parameter perSecond: what the link carries in a second, of which receipts take about a quarter.
    mutating func nextFrame(space: SpaceID, perSecond: Int, now: Milliseconds) -> [UInt8]? {
        sent.renew(now)
        guard let dueAt, dueAt <= now else { return nil }
        let aim = perSecond / 4
        var encoded: [[UInt8]] = []
        var size = Message.changesOverhead
        for node in waiting.keys.sorted() {
            guard let receipt = waiting[node] else { continue }
            let bytes = receipt.encoded
            let isRoom =
                encoded.isEmpty || size + bytes.count <= aim && encoded.count < SyncLimits.receiptsPerFrame
            guard isRoom, sent.count < SyncLimits.receiptsSent else { break }
            encoded.append(bytes)
            size += bytes.count
            sent.count += 1
            theirs[node] = receipt.timestamp
            waiting[node] = nil
        }
        nextFrameAt = now + Self.pause
        return Message.receipts(space, encoded: encoded)
    }
}
