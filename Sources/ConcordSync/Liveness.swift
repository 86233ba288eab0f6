// Whether the peer is still there. Anything that it says counts; when it says nothing it is asked.

import ConcordModel

/// The pings of one session.
struct Liveness: Sendable {
    private var lastHeardAt: Milliseconds
    private var lastPingAt: Milliseconds
    private var outstanding: (nonce: UInt64, sentAt: Milliseconds)?
    private var nextNonce: UInt64 = 1
    /// What was sent up to here has reached the peer.
    private(set) var confirmedAt = Milliseconds.min

    init(now: Milliseconds, pingInterval: Milliseconds) {
        lastHeardAt = now
        // The first ping goes out at once, for the round trip.
        lastPingAt = now - pingInterval
    }

    mutating func heard(_ now: Milliseconds) { lastHeardAt = now }

    /// Whether to ask now; `oldestSentAt` is when the oldest frame was sent that is not acknowledged.
    func wantsPing(_ configuration: SessionConfiguration, oldestSentAt: Milliseconds?, now: Milliseconds)
        -> Bool
    {
        pingAt(configuration, oldestSentAt: oldestSentAt).map { $0 <= now } ?? false
    }

    /// When to ask next; nil while an answer is awaited.
    func pingAt(_ configuration: SessionConfiguration, oldestSentAt: Milliseconds?) -> Milliseconds? {
        guard outstanding == nil else { return nil }
        guard nextNonce > 1 else { return lastPingAt + configuration.pingInterval }
        let silent = max(lastHeardAt, lastPingAt) + configuration.pingInterval
        guard let oldestSentAt else { return silent }
        return min(silent, max(oldestSentAt, lastPingAt) + configuration.pingInterval)
    }

    /// The ping to send.
    mutating func ping(_ now: Milliseconds) -> Message {
        outstanding = (nextNonce, now)
        lastPingAt = now
        defer { nextNonce += 1 }
        return .ping(nextNonce)
    }

    /// Takes an answer; returns how long it took.
    mutating func pong(_ nonce: UInt64, now: Milliseconds) throws(SessionFault) -> Milliseconds {
        guard let asked = outstanding, asked.nonce == nonce else {
            throw SessionFault(.unexpectedMessage, "an answer came to a ping that was not sent")
        }
        outstanding = nil
        confirmedAt = asked.sentAt
        return now - asked.sentAt
    }

    /// When the peer counts as gone unless it says something.
    func silentAt(_ configuration: SessionConfiguration) -> Milliseconds {
        lastHeardAt + configuration.silenceLimit
    }
}
