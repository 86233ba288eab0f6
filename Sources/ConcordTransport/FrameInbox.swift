// Received frames between the event loop, which puts them in, and the one task that takes them out. Counted
// in bytes, not frames: the loop is told to stop at the high mark, and to go on when the task has taken
// enough out.

import NIOCore
import Synchronization

/// A bounded queue of frames with one reader.
final class FrameInbox: Sendable {
    private struct State {
        var frames = CircularBuffer<[UInt8]>()
        var bytes = 0
        var isPaused = false
        var waiter: CheckedContinuation<[UInt8]?, any Error>?
        /// Set when no more frames come: nil for a proper end.
        var end: TransportError??
    }

    private let state = Mutex(State())
    private let highMark: Int
    private let resume: @Sendable () -> Void

    /// `resume` is called when more frames are wanted after ``offer(_:)`` returned false.
    init(highMark: Int, resume: @escaping @Sendable () -> Void) {
        self.highMark = highMark
        self.resume = resume
    }

    /// Bytes that wait.
    var byteCount: Int { state.withLock { $0.bytes } }

    /// Puts a frame in. False: no more should be read until `resume` is called.
    func offer(_ frame: [UInt8]) -> Bool {
        let (waiter, isOpen) = state.withLock { state -> (CheckedContinuation<[UInt8]?, any Error>?, Bool) in
            if let waiter = state.waiter {
                state.waiter = nil
                return (waiter, true)
            }
            state.frames.append(frame)
            state.bytes += frame.count
            if state.bytes >= highMark { state.isPaused = true }
            return (nil, !state.isPaused)
        }
        waiter?.resume(returning: frame)
        return isOpen
    }

    /// No more frames come. The reader still gets those that wait. Only the first call counts.
    func finish(_ error: TransportError?) {
        let waiter = state.withLock { state -> CheckedContinuation<[UInt8]?, any Error>? in
            guard state.end == nil else { return nil }
            state.end = .some(error)
            defer { state.waiter = nil }
            return state.waiter
        }
        if let error { waiter?.resume(throwing: error) } else { waiter?.resume(returning: nil) }
    }

    /// Takes the next frame out, waiting for it; nil after a proper end.
    ///
    /// - Throws: the ``TransportError`` that ended the connection, or `CancellationError`.
    func next() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation {
                (continuation: CheckedContinuation<[UInt8]?, any Error>) in
                take(continuation)
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(throwing: CancellationError())
        }
    }

    private func take(_ continuation: CheckedContinuation<[UInt8]?, any Error>) {
        enum Answer {
            case frame([UInt8], wantsMore: Bool)
            case end(TransportError?)
            case cancelled
            case wait
        }
        let answer = state.withLock { state -> Answer in
            if let frame = state.frames.popFirst() {
                state.bytes -= frame.count
                let wantsMore = state.isPaused && state.bytes <= highMark / 4
                if wantsMore { state.isPaused = false }
                return .frame(frame, wantsMore: wantsMore)
            }
            if let end = state.end { return .end(end) }
            // Looked at under the lock: a cancellation before this finds no waiter, a later one finds it.
            if Task.isCancelled { return .cancelled }
            precondition(state.waiter == nil, "The frames of a connection have one reader at a time.")
            state.waiter = continuation
            return .wait
        }
        switch answer {
        case .frame(let frame, let wantsMore):
            continuation.resume(returning: frame)
            if wantsMore { resume() }
        case .end(let error?): continuation.resume(throwing: error)
        case .end(nil): continuation.resume(returning: nil)
        case .cancelled: continuation.resume(throwing: CancellationError())
        case .wait: break
        }
    }
}
