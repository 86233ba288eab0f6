// Whether the peer is still there. Anything that it says counts; when it says nothing it is asked. On a thin link one
// message may take minutes: as long as bytes of it arrive the peer is there, and since the peer waits all that time for a
// word of this side, it is asked again and again.

import ConcordModel

/// The pings of one session.
struct Liveness: Sendable {
    private struct Question: Sendable {
        let nonce: UInt64
        let sentAt: Milliseconds
    }

    /// When a whole message came last.
    private var lastHeardAt: Milliseconds
    /// When anything came last.
    private var lastByteAt: Milliseconds
    private var lastPingAt: Milliseconds
    /// The pings that are not answered, the first in first.
    private var outstanding = Queue<Question>()
    private var nextNonce: UInt64 = 1
    /// What was sent up to here has reached the peer.
    private(set) var confirmedAt = Milliseconds.min

    /// From one to the next while the peer asks for what the window has no room for: an answer tells what has arrived.
    private static let heldBackInterval: Milliseconds = 1_000
    /// More questions than that are not asked before one is answered: an hour of them.
    private static let maximumOutstanding = 256

    init(now: Milliseconds, pingInterval: Milliseconds) {
        lastHeardAt = now
        lastByteAt = now
        // The first ping goes out at once, for the round trip.
        lastPingAt = now - pingInterval
    }

    /// A message came.
    mutating func heard(_ now: Milliseconds) { (lastHeardAt, lastByteAt) = (now, now) }

    /// A part of a message came.
    mutating func heardPart(_ now: Milliseconds) { lastByteAt = now }

    /// When to ask next; nil while an answer is awaited and nothing comes.
    ///
    /// - Parameters:
    ///   - oldestSentAt: when the oldest frame was sent that is not acknowledged.
    ///   - isHeldBack: whether the peer asks for what the window has no room for.
    func pingAt(
        _ configuration: SessionConfiguration, oldestSentAt: Milliseconds?, isHeldBack: Bool
    ) -> Milliseconds? {
        let again = lastPingAt + configuration.pingInterval
        guard outstanding.isEmpty else {
            let isWaiting = lastByteAt > lastPingAt && lastByteAt > lastHeardAt
            return isWaiting && outstanding.count < Self.maximumOutstanding ? again : nil
        }
        guard nextNonce > 1 else { return again }
        if isHeldBack { return lastPingAt + min(Self.heldBackInterval, configuration.pingInterval) }
        let silent = max(again, lastHeardAt + configuration.pingInterval)
        guard let oldestSentAt else { return silent }
        return min(silent, max(again, oldestSentAt + configuration.pingInterval))
    }

    /// The ping to send.
    mutating func ping(_ now: Milliseconds) -> Message {
        outstanding.append(Question(nonce: nextNonce, sentAt: now))
        lastPingAt = now
        defer { nextNonce += 1 }
        return .ping(nextNonce)
    }

    /// Takes an answer, which stands for those to all earlier pings, too; returns how long it took.
    mutating func pong(_ nonce: UInt64, now: Milliseconds) throws(SessionFault) -> Milliseconds {
        guard let asked = outstanding.elements.first(where: { $0.nonce == nonce }) else {
            throw SessionFault(.unexpectedMessage, "an answer came to a ping that was not sent")
        }
        while let first = outstanding.first, first.nonce <= nonce { outstanding.removeFirst() }
        confirmedAt = asked.sentAt
        return now - asked.sentAt
    }

    /// When the peer counts as gone unless something comes.
    func silentAt(_ configuration: SessionConfiguration) -> Milliseconds {
        lastByteAt + configuration.silenceLimit
    }
}
