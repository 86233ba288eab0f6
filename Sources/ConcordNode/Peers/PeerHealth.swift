// What is remembered of a peer's reachability, for `status` and for choosing when to dial.

import ConcordAPI
import ConcordModel

/// The last eight attempts to reach a peer and the last thing that went wrong.
struct PeerHealth: Sendable {
    /// How one attempt ended.
    enum Attempt: Character, Sendable {
        case reached = "#"
        case failed = "."
        case refused = "x"
    }

    private(set) var attempts: [Attempt] = []
    private(set) var lastError: StatusDocument.LastError?

    /// Newest right, at most eight.
    var reach: String { String(attempts.map(\.rawValue)) }
    /// Whether the last attempt was answered by a refusal.
    var isRefused: Bool { attempts.last == .refused }

    mutating func record(_ attempt: Attempt) {
        attempts.append(attempt)
        if attempts.count > 8 { attempts.removeFirst() }
    }

    mutating func record(_ error: ConcordError, at now: Int64) {
        lastError = .init(
            code: error.code.rawValue, message: error.message, at: Timestamp.text(milliseconds: now))
    }

    /// Forgets the last error, once an exchange has worked.
    mutating func recovered() { lastError = nil }
}

/// Counts refused connections by code, for `status` and tests: a daemon that is knocked at stays calm but says so.
struct RefusalCounter: Sendable {
    private var refusals: [ErrorCode: StatusDocument.Refusal] = [:]

    mutating func count(_ error: ConcordError, address: String, at now: Int64) {
        let total = (refusals[error.code]?.count ?? 0) + 1
        refusals[error.code] = .init(
            code: error.code.rawValue, count: total, lastAt: Timestamp.text(milliseconds: now),
            lastAddress: address, message: error.message)
    }

    /// The counts, ascending by code.
    var documents: [StatusDocument.Refusal] {
        refusals.values.sorted { $0.code < $1.code }
    }
}
