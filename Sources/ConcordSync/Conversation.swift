// A session after both sides have introduced themselves: its spaces, each with its own exchange, share one
// connection and one window. Messages about a space count only between its announcement by both and its
// withdrawal.

import ConcordCrypto
import ConcordModel

/// The state of a session that is under way.
struct Conversation: Sendable {
    private let configuration: SessionConfiguration
    private let sameVocabulary: Bool
    /// What both sides put before what they hash in a sketch.
    private let salt: [UInt8]
    private var peerHello: Hello
    private let level: UInt64
    private let clockAhead: Milliseconds
    /// What this side announced last, ascending.
    private var announced: [SpaceHead]
    /// What this side or the peer announced and took back, for good in this session.
    private var withdrawn: [SpaceID]
    private var withdrawnByPeer: [SpaceID] = []
    /// Ascending by space.
    private var exchanges: [SpaceExchange] = []
    private var nextTurn = 0
    private var fetching = BlobFetching()
    private var serving = BlobServing()
    /// Whether the peer reads packed frames.
    private let mayPack: Bool
    private let showsAgreements: Bool
    private var liveness: Liveness
    private var flow: FlowWindow
    private var isWritable: Bool
    private var pongToSend: UInt64?
    private var helloToSend: Hello?

    /// Begins with the peer's first hello.
    init(
        configuration: SessionConfiguration, local: Hello, peer: Hello, level: UInt64, isWritable: Bool,
        withdrawn: [SpaceID], now: Milliseconds
    ) {
        self.configuration = configuration
        self.isWritable = isWritable
        self.level = level
        self.withdrawn = withdrawn
        announced = local.spaces
        peerHello = peer
        salt = HeadSketch.salt(local.incarnation, peer.incarnation)
        sameVocabulary = local.vocabularyLevel == peer.vocabularyLevel
        clockAhead = peer.clock - local.clock
        mayPack = local.features.contains(Message.packing) && peer.features.contains(Message.packing)
        showsAgreements = peer.features.contains(ReceiptFlow.agreements)
        liveness = Liveness(now: now, pingInterval: configuration.pingInterval)
        flow = FlowWindow(maximum: min(configuration.windowBytes, SyncLimits.windowBytes))
    }

    /// The spaces under exchange, ascending.
    private var sharedSpaces: [SpaceID] { exchanges.map(\.space) }

    /// Starts the exchange of what both announced, and says who the peer is.
    mutating func begin(now: Milliseconds, _ effects: inout [SessionEffect]) throws(SessionFault) {
        try matchSpaces(now: now, &effects)
        try flush(context(now), &effects)
    }

    /// Handles an input of a session that is under way.
    mutating func handle(
        _ input: SessionInput, now: Milliseconds, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        let context = context(now)
        switch input {
        case .frame(let bytes):
            liveness.heard(now)
            try receive(bytes, context, &effects)
        case .held(let space, let held, let digest):
            try onExchange(space) { exchange throws(SessionFault) in
                try exchange.held(held, digest: digest, &effects)
            }
        case .slice(let space, let slice):
            try onExchange(space) { exchange throws(SessionFault) in try exchange.slice(slice) }
        case .compared(let space, let comparison):
            try onExchange(space) { exchange throws(SessionFault) in
                exchange.compared(comparison, now: now, &effects)
            }
        case .applied(let space, let outcome):
            try onExchange(space) { exchange throws(SessionFault) in
                try exchange.applied(outcome, now: now, &effects)
            }
        case .advanced(let space, let position, let held):
            try onExchange(space) { exchange throws(SessionFault) in
                exchange.advanced(to: position, held: held, now: now)
            }
        case .forked(let space, let replica):
            try onExchange(space) { exchange throws(SessionFault) in
                exchange.foundFork(of: replica, isShown: true, &effects)
            }
        case .receipts(let space, let receipts):
            try onExchange(space) { exchange throws(SessionFault) in exchange.receipts.add(receipts) }
        case .intake(let space, let order):
            try onExchange(space) { exchange throws(SessionFault) in exchange.ordered(order) }
        case .blob(let input): handle(input, &effects)
        case .writable(let writable): isWritable = writable
        case .receiving: liveness.heardPart(now)
        case .tick: try tick(context, &effects)
        case .started, .spacesChanged, .stop, .storeFailed, .disconnected:
            preconditionFailure("the session handles this input itself")
        }
        try flush(context, &effects)
    }

    /// Announces other spaces than before.
    mutating func announce(_ hello: Hello, now: Milliseconds, _ effects: inout [SessionEffect])
        throws(SessionFault)
    {
        for head in hello.spaces where withdrawn.contains(head.space) { throw SessionFault.returned }
        for head in announced where !hello.spaces.contains(where: { $0.space == head.space }) {
            withdrawn.append(head.space)
        }
        let isNew = announced.map(\.space) != hello.spaces.map(\.space)
        // Under which replica this side writes helps the peer to know from whom it may expect what.
        let writesAnew = announced.map(\.replica) != hello.spaces.map(\.replica)
        announced = hello.spaces
        if isNew || writesAnew { helloToSend = hello }
        if isNew { try matchSpaces(now: now, &effects) }
        for head in hello.spaces {
            if let index = index(of: head.space) { exchanges[index].update(head, &effects) }
        }
        try flush(context(now), &effects)
    }

    /// When a tick is wanted at the latest.
    var deadline: Milliseconds {
        var deadline = liveness.silentAt(configuration)
        if isWritable, let pingAt { deadline = min(deadline, pingAt) }
        for exchange in exchanges {
            if let due = exchange.tickAt(configuration, isWritable: isWritable) {
                deadline = min(deadline, due)
            }
            if isWritable, let due = exchange.receiptsAt { deadline = min(deadline, due) }
            if let stall = stallAt(exchange) { deadline = min(deadline, stall) }
        }
        return deadline
    }

    // MARK: Receiving

    private mutating func receive(
        _ bytes: [UInt8], _ context: SessionContext, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        guard mayPack || !Message.isPacked(bytes) else {
            throw SessionFault(.unexpectedMessage, "a frame is packed that nobody asked for")
        }
        switch try Message.decode(bytes) {
        case .hello(let hello): try receive(hello, context.now, &effects)
        case .summary(let space, let summary):
            try onSharedExchange(space) { exchange throws(SessionFault) in
                try exchange.received(summary, context: context, &effects)
            }
        case .vector(let space, let heads):
            try onSharedExchange(space) { exchange throws(SessionFault) in
                try exchange.received(heads: heads, now: context.now, &effects)
            }
        case .changes(let space, let runs):
            let applying = exchanges.reduce(0) { $0 + $1.applyingBytes }
            let count = Message.unpackedCount(bytes)
            guard applying + count <= SyncLimits.windowBytes else {
                throw SessionFault(
                    .limitExceeded, "more changes came than may be on their way unacknowledged")
            }
            try onSharedExchange(space) { exchange throws(SessionFault) in
                try exchange.received(runs, frameBytes: count, now: context.now, &effects)
            }
        case .acknowledge(let space, let vector):
            try onSharedExchange(space) { exchange throws(SessionFault) in
                try exchange.received(acknowledgement: vector, now: context.now, &effects)
            }
            for index in exchanges.indices {
                for frame in exchanges[index].takeMeasurable() {
                    flow.acknowledged(frame.departure, byteCount: frame.byteCount, now: context.now)
                }
            }
        case .receipts(let space, let receipts):
            try onSharedExchange(space) { exchange throws(SessionFault) in
                try exchange.received(receipts, now: context.now, &effects)
            }
        case .flow(let space, let mode, let vector):
            try onSharedExchange(space) { exchange throws(SessionFault) in
                try exchange.received(mode, vector, &effects)
            }
        case .announce(let space, let vector):
            try onSharedExchange(space) { exchange throws(SessionFault) in
                try exchange.received(announcement: vector, now: context.now, &effects)
            }
        case .want(let space, let spans):
            try onSharedExchange(space) { exchange throws(SessionFault) in try exchange.received(spans) }
        case .sketch(let space, let sketch):
            try onSharedExchange(space) { exchange throws(SessionFault) in try exchange.received(sketch) }
        case .blob(let message):
            // What crossed our withdrawal of a space is not answered.
            if try isShared(message.space) { try receive(message, context.now, &effects) }
        case .ping(let nonce): pongToSend = nonce
        case .pong(let nonce):
            let duration = try liveness.pong(nonce, now: context.now)
            flow.roundTrip(duration)
            for index in exchanges.indices {
                exchanges[index].intake.roundTrip = duration
                exchanges[index].arrived(before: liveness.confirmedAt)
            }
            effects.append(.roundTrip(duration))
        case .error, .goodbye: preconditionFailure("the session handles these messages itself")
        case .ignored: break
        }
    }

    private mutating func receive(
        _ hello: Hello, _ now: Milliseconds, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        guard hello.levels == peerHello.levels, hello.incarnation == peerHello.incarnation,
            hello.vocabularyLevel == peerHello.vocabularyLevel
        else { throw SessionFault(.unexpectedMessage, "a later hello says something else than the first") }
        for head in hello.spaces where withdrawnByPeer.contains(head.space) {
            throw SessionFault(.unexpectedMessage, "a space that was taken back is announced again")
        }
        // Only of what was shared can messages be on their way; what a peer invents is not remembered.
        for space in sharedSpaces where !hello.spaces.contains(where: { $0.space == space }) {
            withdrawnByPeer.append(space)
        }
        peerHello = hello
        try matchSpaces(now: now, &effects)
    }

    // MARK: Attachments

    private mutating func receive(
        _ message: BlobMessage, _ now: Milliseconds, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        switch message {
        case .fetch(let place, let byteCount): try serving.receive(place, byteCount: byteCount)
        case .piece(let place, let bytes): try fetching.receive(place, bytes, now: now, &effects)
        case .lacking(let place): try fetching.lacking(place, &effects)
        case .holding(let space, let blob): fetching.holding(blob, in: space, &effects)
        }
    }

    private mutating func handle(_ input: BlobInput, _ effects: inout [SessionEffect]) {
        switch input {
        case .fetch(let order):
            guard index(of: order.place.space) != nil else { return fetching.refuse(order, &effects) }
            fetching.fetch(order)
        case .cancel(let id): fetching.cancel(id)
        case .stored(let id, let byteCount): fetching.stored(id, byteCount: byteCount)
        case .read(let place, let bytes):
            serving.read(place, bytes, isShared: index(of: place.space) != nil)
        case .held(let space, let blob):
            if index(of: space) != nil { serving.held(blob, in: space) }
        }
    }

    // MARK: Spaces

    /// Exchanges exactly what both announce.
    private mutating func matchSpaces(now: Milliseconds, _ effects: inout [SessionEffect])
        throws(SessionFault)
    {
        let shared = announced.filter { head in peerHello.spaces.contains { $0.space == head.space } }
        guard !shared.isEmpty else {
            throw SessionFault(.nothingInCommon, "the two nodes have no space in common", .refuse)
        }
        let previous = exchanges
        exchanges = []
        for head in shared {
            if let kept = previous.first(where: { $0.space == head.space }) {
                exchanges.append(kept)
            } else {
                var exchange = SpaceExchange(head, salt: salt, now: now)
                exchange.receipts.showsAgreements = showsAgreements
                exchange.start(&effects)
                exchanges.append(exchange)
            }
        }
        fetching.keep(sharedSpaces)
        serving.keep(sharedSpaces)
        effects.append(
            .peerHello(
                PeerHello(
                    hello: peerHello, level: level, clockAhead: clockAhead, sharedSpaces: sharedSpaces)))
        for head in peerHello.spaces {
            if let index = index(of: head.space) {
                exchanges[index].peerWrites(under: head.replica, &effects)
            }
        }
    }

    private func index(of space: SpaceID) -> Int? { exchanges.firstIndex { $0.space == space } }

    /// Hands on what the store says; what comes late, of a space that is no longer exchanged, is dropped.
    private mutating func onExchange(
        _ space: SpaceID, _ body: (inout SpaceExchange) throws(SessionFault) -> Void
    ) throws(SessionFault) {
        guard let index = index(of: space) else { return }
        try body(&exchanges[index])
    }

    /// Hands on what the peer says; what crossed our withdrawal of a space is dropped.
    private mutating func onSharedExchange(
        _ space: SpaceID, _ body: (inout SpaceExchange) throws(SessionFault) -> Void
    ) throws(SessionFault) {
        if try isShared(space), let index = index(of: space) { try body(&exchanges[index]) }
    }

    /// Whether a message about a space counts; false if it crossed our withdrawal of it.
    private func isShared(_ space: SpaceID) throws(SessionFault) -> Bool {
        if index(of: space) != nil { return true }
        guard withdrawn.contains(space), peerHello.spaces.contains(where: { $0.space == space }) else {
            throw SessionFault(.unknownSpace, "a message is about a space that is not exchanged here")
        }
        return false
    }

    // MARK: Sending and time

    private func context(_ now: Milliseconds) -> SessionContext {
        SessionContext(now: now, configuration: configuration, sameVocabulary: sameVocabulary)
    }

    /// Sends what can be sent, each space getting its turn to be first; or, if the session must end for a new one to
    /// compare anew, what is owed.
    private mutating func flush(_ context: SessionContext, _ effects: inout [SessionEffect])
        throws(SessionFault)
    {
        if let fault = exchanges.lazy.compactMap(\.dueEnd).first {
            for index in exchanges.indices { exchanges[index].sendAcknowledgement(&effects) }
            throw fault
        }
        if isWritable {
            if let hello = helloToSend { effects.append(.send(Message.hello(hello).encoded())) }
            if let nonce = pongToSend { effects.append(.send(Message.pong(nonce).encoded())) }
            (helloToSend, pongToSend) = (nil, nil)
            var window = Window(
                maximum: min(configuration.windowBytes, SyncLimits.windowBytes), flow: flow,
                inFlight: exchanges.reduce(0) { $0 + $1.inFlightBytes },
                framesInFlight: exchanges.reduce(0) { $0 + $1.framesInFlight },
                waiting: exchanges.reduce(0) { $0 + $1.waitingBytes },
                packs: mayPack && flow.isLong,
                planned: exchanges.reduce(0) { $0 + $1.plannedBytes })
            for turn in exchanges.indices {
                let index = (nextTurn + turn) % exchanges.count
                exchanges[index].send(context, window: &window, &effects)
            }
            flow = window.flow
            nextTurn = exchanges.isEmpty ? 0 : (nextTurn + 1) % exchanges.count
            // Files wait while changes do.
            if exchanges.allSatisfy({ $0.plannedBytes == 0 }) { serving.send(&effects) }
            fetching.send(now: context.now, &effects)
            if let pingAt, pingAt <= context.now {
                effects.append(.send(liveness.ping(context.now).encoded()))
            }
        }
        for index in exchanges.indices {
            exchanges[index].reportProgress(&effects)
            exchanges[index].reportToIntake(&effects)
        }
    }

    private mutating func tick(_ context: SessionContext, _ effects: inout [SessionEffect])
        throws(SessionFault)
    {
        guard liveness.silentAt(configuration) > context.now else {
            throw SessionFault(.peerSilent, "nothing was heard for too long", .retry)
        }
        for index in exchanges.indices {
            if let stall = stallAt(exchanges[index]), stall <= context.now {
                throw SessionFault(
                    .missingDependency, "changes that arrived were not acknowledged for too long", .retry)
            }
            exchanges[index].tick(context, &effects)
        }
    }

    private var pingAt: Milliseconds? {
        liveness.pingAt(
            configuration, oldestSentAt: exchanges.compactMap(\.oldestSentAt).min(),
            isHeldBack: exchanges.contains(where: \.isHeldBack))
    }

    /// When to give up on changes that the peer has received and does not acknowledge.
    private func stallAt(_ exchange: SpaceExchange) -> Milliseconds? {
        guard let sentAt = exchange.oldestSentAt, sentAt < liveness.confirmedAt else { return nil }
        return sentAt + configuration.stallLimit
    }
}

extension Message {
    /// Reads a frame of the peer.
    static func decode(_ bytes: [UInt8]) throws(SessionFault) -> Message {
        do {
            return try Message(encoded: bytes)
        } catch let error as ConcordError {
            throw SessionFault(error.code, error.message)
        } catch {
            throw SessionFault(.malformedFrame, "a message cannot be read")
        }
    }
}
