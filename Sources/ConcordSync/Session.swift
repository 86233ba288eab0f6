// The exchange between two nodes over one connection, as a state machine that touches no network, no database
// and no clock: inputs go in, effects come out, and equal inputs give equal effects. Both sides run the same
// code; there is no client and no server. Protocol/exchange.md describes the same from outside.

import ConcordModel

/// One session with one peer.
///
/// The driver passes what happens to ``handle(_:now:)`` and carries out the effects in their order. After
/// ``SessionEffect/end(_:)`` every input is ignored, so that answers of the store may come late.
public struct Session: Sendable {
    private enum State: Sendable {
        /// The connection does not stand yet.
        case waiting
        /// Our hello is out, the peer's is awaited.
        case greeting(Greeting)
        /// Both have introduced themselves.
        case conversing(Conversation)
        /// Nothing more happens.
        case ended
    }

    private struct Greeting: Sendable {
        /// Until when the peer's hello must be there.
        let deadline: Milliseconds
        var isWritable = true
        /// Spaces that were announced and taken back since.
        var withdrawn: [SpaceID] = []
    }

    private let configuration: SessionConfiguration
    private var local: LocalDescription
    private var state = State.waiting
    /// The wall clock when the session's own clock stood at zero.
    private var wallClockAtZero: Int64 = 0

    /// A session of this side with some peer, before the connection stands.
    ///
    /// - Parameter local: how this side introduces itself to this peer; its spaces are those on whose roster the
    ///   peer's member stands.
    public init(configuration: SessionConfiguration = SessionConfiguration(), local: LocalDescription) {
        self.configuration = configuration
        self.local = local
    }

    /// Whether the session is over.
    public var isEnded: Bool { if case .ended = state { true } else { false } }

    /// When a ``SessionInput/tick`` is wanted at the latest, on the clock of `now`; nil if none is wanted. It
    /// may change with every input. A tick too early does no harm.
    public var deadline: Milliseconds? {
        switch state {
        case .waiting, .ended: nil
        case .greeting(let greeting): greeting.deadline
        case .conversing(let conversation): conversation.deadline
        }
    }

    /// Takes what happened and says what to do, in this order.
    ///
    /// - Parameter now: a clock that never goes back, the same for all inputs.
    public mutating func handle(_ input: SessionInput, now: Milliseconds) -> [SessionEffect] {
        var effects: [SessionEffect] = []
        do {
            try take(input, now, &effects)
        } catch {
            state = .ended
            effects.append(.send(error.message.encoded()))
            effects.append(.end(error.end))
        }
        return effects
    }

    private mutating func take(
        _ input: SessionInput, _ now: Milliseconds, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        if case .ended = state { return }
        switch input {
        case .started(let clock): start(clock: clock, now, &effects)
        case .stop(let code, let sentence): stop(code, sentence, &effects)
        case .storeFailed(_, let error):
            // The message may name files of this machine; the peer is told no more than the kind of failure.
            throw SessionFault(error.code, error.code.entry.summary, .retry)
        case .disconnected:
            end(
                SessionEnd(
                    code: ErrorCode.connectionFailed.rawValue, sentence: "the connection is gone",
                    faultClass: .retry, byPeer: true), &effects)
        case .spacesChanged(let spaces): try changeSpaces(spaces, now, &effects)
        case .frame(let bytes):
            if try !endedByPeer(bytes, &effects) { try converse(input, now, &effects) }
        default: try converse(input, now, &effects)
        }
    }

    private mutating func start(clock: Int64, _ now: Milliseconds, _ effects: inout [SessionEffect]) {
        guard case .waiting = state else { preconditionFailure("a session starts once") }
        wallClockAtZero = clock - now
        state = .greeting(Greeting(deadline: now + configuration.silenceLimit))
        effects.append(.send(Message.hello(hello(now)).encoded()))
    }

    private mutating func converse(
        _ input: SessionInput, _ now: Milliseconds, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        switch state {
        case .waiting, .ended: break
        case .greeting(var greeting):
            switch input {
            case .frame(let bytes): try greet(bytes, greeting, now, &effects)
            case .writable(let isWritable):
                greeting.isWritable = isWritable
                state = .greeting(greeting)
            case .tick where greeting.deadline <= now:
                throw SessionFault(.peerSilent, "the peer did not introduce itself in time", .retry)
            default: break
            }
        case .conversing(var conversation):
            state = .ended  // so that the conversation is changed in place
            try conversation.handle(input, now: now, &effects)
            state = .conversing(conversation)
        }
    }

    /// Takes the peer's first hello.
    private mutating func greet(
        _ bytes: [UInt8], _ greeting: Greeting, _ now: Milliseconds, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        guard case .hello(let peer) = try Message.decode(bytes) else {
            throw SessionFault(.unexpectedMessage, "the first message is not a hello")
        }
        guard peer.incarnation != local.incarnation else {
            throw SessionFault(.duplicateConnection, "the node is connected to itself", .refuse)
        }
        let levels = configuration.levels
        let level = min(peer.levels.upperBound, levels.upperBound)
        guard level >= max(peer.levels.lowerBound, levels.lowerBound) else {
            throw SessionFault(
                .protocolVersion,
                "one node speaks the levels \(levels.lowerBound) to \(levels.upperBound), "
                    + "the other \(peer.levels.lowerBound) to \(peer.levels.upperBound)", .refuse)
        }
        var conversation = Conversation(
            configuration: configuration, local: hello(now), peer: peer, level: level,
            isWritable: greeting.isWritable, withdrawn: greeting.withdrawn, now: now)
        try conversation.begin(now: now, &effects)
        state = .conversing(conversation)
    }

    private mutating func changeSpaces(
        _ spaces: [SpaceHead], _ now: Milliseconds, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        let before = local.spaces
        local.spaces = spaces.sorted { $0.space < $1.space }
        switch state {
        case .waiting, .ended: break
        case .greeting(var greeting):
            greeting.withdrawn += before.map(\.space).filter { space in
                !local.spaces.contains { $0.space == space }
            }
            try checkReturn(to: greeting.withdrawn)
            state = .greeting(greeting)
            effects.append(.send(Message.hello(hello(now)).encoded()))
        case .conversing(var conversation):
            state = .ended
            try conversation.announce(hello(now), now: now, &effects)
            state = .conversing(conversation)
        }
    }

    private func checkReturn(to withdrawn: [SpaceID]) throws(SessionFault) {
        guard local.spaces.allSatisfy({ !withdrawn.contains($0.space) }) else { throw SessionFault.returned }
    }

    private mutating func stop(_ code: ErrorCode?, _ sentence: String, _ effects: inout [SessionEffect]) {
        let isOpen = if case .waiting = state { false } else { true }
        if isOpen {
            let message = Message.goodbye(
                code: UTF8Text(code?.toldToPeer.rawValue ?? ""),
                sentence: UTF8Text(sentence.bounded(toBytes: SyncLimits.sentenceBytes)))
            effects.append(.send(message.encoded()))
        }
        end(SessionEnd(code: code?.rawValue, sentence: sentence, faultClass: .retry, byPeer: false), &effects)
    }

    /// Takes an `Error` or `Goodbye`, which may come at any time.
    private mutating func endedByPeer(
        _ bytes: [UInt8], _ effects: inout [SessionEffect]
    ) throws(SessionFault) -> Bool {
        // The type stands in the second byte; other messages are read where they are handled.
        guard bytes.count > 1, bytes[1] == 5 || bytes[1] == 6 else { return false }
        switch try Message.decode(bytes) {
        case .error(let code, let faultClass, let sentence):
            end(
                SessionEnd(
                    code: code.string, sentence: sentence.string, faultClass: faultClass, byPeer: true),
                &effects)
        case .goodbye(let code, let sentence):
            end(
                SessionEnd(
                    code: code.string.isEmpty ? nil : code.string, sentence: sentence.string,
                    faultClass: .retry, byPeer: true), &effects)
        default: return false
        }
        return true
    }

    private mutating func end(_ end: SessionEnd, _ effects: inout [SessionEffect]) {
        state = .ended
        effects.append(.end(end))
    }

    private func hello(_ now: Milliseconds) -> Hello {
        Hello(
            levels: configuration.levels, features: configuration.features,
            vocabularyLevel: local.vocabularyLevel, incarnation: local.incarnation,
            clock: min(max(wallClockAtZero + now, 0), Limits.timestamp), nodeName: local.nodeName,
            addresses: local.addresses, spaces: local.spaces)
    }
}

extension ErrorCode {
    /// The code by which the peer knows the same: what is the peer's here is its own there.
    fileprivate var toldToPeer: ErrorCode { self == .peerSuspended ? .ourMemberSuspended : self }
}
