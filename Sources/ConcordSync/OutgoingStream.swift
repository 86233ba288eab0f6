// What one side sends of one space: from the log, in its order, what the peer lacks. At most one slice is
// read ahead; what is on its way stays within the session's window. Nothing is sent twice in a session.

import ConcordCrypto
import ConcordModel

/// What of the log the peer is to be sent now.
struct StreamPermission: Sendable {
    /// What the peer wants unasked.
    let mode: FlowMode
    /// The chain that is sent if it wants anything unasked: that of the own replica.
    let pushed: ReplicaID?
    /// What is held here, as far as it is told.
    let held: VersionVector
}

/// The way of changes to the peer.
struct OutgoingStream: Sendable {
    /// A run that is encoded and waits to be sent.
    private struct ReadyRun: Sendable {
        let bytes: [UInt8]
        let last: Dot
    }

    /// A frame that the peer has not acknowledged yet.
    private struct SentFrame: Sendable {
        let last: VersionVector
        let byteCount: Int
        let departure: FlowWindow.Departure
    }

    /// A frame that the peer has acknowledged.
    struct AcknowledgedFrame: Sendable {
        let byteCount: Int
        let departure: FlowWindow.Departure
    }

    /// Everything at or before this place of the log was sent or is known to the peer.
    private(set) var cursor: Int64
    /// The latest place of the log that is known of.
    private(set) var head: Int64
    /// What need not be sent: what the peer has, and what is on its way to it.
    private(set) var known: VersionVector
    /// What of that the peer has: what it said and what it acknowledged. What is on its way may have to wait there for what
    /// it depends on, and that must not be put together with what depends on the former.
    private(set) var had: VersionVector
    /// The bytes that a slice being read may bring.
    private(set) var reserved = 0
    /// The bytes that are sent and not acknowledged.
    private(set) var inFlightBytes = 0
    /// The bytes that wait to be sent.
    private(set) var readyBytes = 0
    /// Nothing behind this place of the log is sent any more; nil while the stream goes on.
    private var lastPosition: Int64?
    /// What the peer has acknowledged, which alone makes room in the window.
    private var acknowledged = VersionVector()
    private var ready = Queue<ReadyRun>()
    private var sent = Queue<SentFrame>()
    /// Frames that have arrived, with changes that wait there for what they depend on.
    private var waiting: [SentFrame] = []
    private var hasMore = false
    /// Frames whose acknowledgement nobody has measured yet.
    private var measurable: [AcknowledgedFrame] = []

    /// Bytes that a small change takes at least: what waits in the log is more than so many for each place of it.
    private static let smallChangeBytes = 64
    /// Whether the slice that is being read is not to be gone on from.
    private var beginsAgain = false
    /// What the peer wanted when it was last looked what to read.
    private var mode = FlowMode.all
    /// What the peer asked for, up to there.
    private var wanted = VersionVector()

    /// A stream of what follows `cursor` in the log, to a peer that knows `known`.
    init(after cursor: Int64, head: Int64, known: VersionVector) {
        self.cursor = cursor
        self.head = max(cursor, head)
        self.known = known
        had = known
    }

    /// Whether a slice is being read.
    var isReading: Bool { reserved > 0 }
    /// Whether nothing waits, travels or is left to read.
    var isDrained: Bool { !isReading && ready.isEmpty && sent.isEmpty && waiting.isEmpty && !wantsToRead }
    /// Whether the log may hold more for the peer.
    var wantsToRead: Bool { (hasMore || cursor < head) && cursor < lastPosition ?? .max }
    /// Of how many chains the peer asked for something.
    var wantedChains: Int { wanted.elements.count }
    /// Whether the peer asked for something that nothing was read of since, for want of room in the window: what fills it may
    /// be waiting at the peer for just that.
    var isHeldBack: Bool { cursor == 0 && wantsToRead && !isReading && ready.isEmpty && !sent.isEmpty }
    /// How many frames are sent and not acknowledged.
    var framesInFlight: Int { sent.elements.count }
    /// When the oldest frame that is not acknowledged was sent.
    var oldestSentAt: Milliseconds? { waiting.first?.departure.at ?? sent.first?.departure.at }
    /// The bytes of frames that have arrived and are not acknowledged.
    var waitingBytes: Int { waiting.reduce(0) { $0 + $1.byteCount } }

    /// The log grew.
    mutating func advance(to position: Int64) { head = max(head, position) }

    /// Ends the stream with what the log holds now.
    mutating func finish() { lastPosition = lastPosition ?? head }

    /// The peer has these changes.
    mutating func peerHas(_ vector: VersionVector) {
        known.merge(vector)
        had.merge(vector)
    }

    /// The peer has this change and those before it in its chain.
    mutating func peerHas(_ dot: Dot) {
        known.raise(dot.replica, to: dot.sequence)
        had.raise(dot.replica, to: dot.sequence)
    }

    /// The peer asks for this, having the chain up to `from`.
    mutating func want(_ span: ChainSpan) {
        peerHas(Dot(span.chain, span.from))
        guard span.upTo > known[span.chain] else { return }
        wanted.raise(span.chain, to: span.upTo)
        beginAgain()
    }

    /// The peer wants something else than before: what was passed over may be wanted now.
    mutating func beginAgain() {
        cursor = 0
        beginsAgain = isReading
    }

    /// What a read leaves out: what the peer has, and what it does not want.
    func excluded(_ permission: StreamPermission) -> VersionVector {
        guard permission.mode != .all else { return known }
        var excluded = permission.held
        excluded.merge(known)
        for element in wanted.elements where element.sequence > known[element.replica] {
            excluded[element.replica] = known[element.replica]
        }
        if permission.mode != .hold, let own = permission.pushed { excluded[own] = known[own] }
        return excluded
    }

    private func permits(_ run: ChangeRun, _ permission: StreamPermission) -> Bool {
        if permission.mode == .all || permission.mode != .hold && permission.pushed == run.chain {
            return true
        }
        return wanted[run.chain] >= max(run.firstSequence, known[run.chain] + 1)
    }

    /// What to read next, if anything: nil while a slice is read or waits, or if the window leaves no room.
    mutating func nextRead(_ window: Window, _ permission: StreamPermission) -> Int? {
        if permission.mode != mode {
            mode = permission.mode
            beginAgain()
        }
        if !isReading, ready.isEmpty, wantsToRead, permission.mode != .all,
            excluded(permission).covers(permission.held)
        {
            // There is nothing to look for.
            (cursor, hasMore) = (head, false)
        }
        guard !isReading, ready.isEmpty, wantsToRead else { return nil }
        let aim = window.flow.frameBytes
        // A signed run may be longer than what is aimed at and comes whole.
        let largest = max(aim, Limits.signedRunBytes)
        let isMuch = hasMore || (head - cursor) * Int64(Self.smallChangeBytes) >= Int64(aim)
        guard window.admitsReading(largest, isMuch: isMuch) else { return nil }
        reserved = largest
        return aim
    }

    /// Takes a slice that was read, without what the peer got to know meanwhile.
    mutating func take(_ slice: LogSlice, _ permission: StreamPermission) throws(SessionFault) {
        guard isReading, beginsAgain || slice.position >= cursor else { return }
        reserved = 0
        head = max(head, slice.position)
        guard !beginsAgain, permission.mode == mode else {
            // What was left out of it was not what is left out now: the end of a chain may be in it without the rest.
            (cursor, hasMore, beginsAgain) = (0, false, false)
            return
        }
        let progressed = slice.position > cursor || !slice.runs.isEmpty
        cursor = slice.position
        hasMore = !slice.isLast && progressed
        for run in slice.runs {
            // A run of which the peer has the beginning by now goes whole: what it has it skips.
            guard run.lastSequence > known[run.chain], permits(run, permission) else { continue }
            let bytes = run.encodedForFrame()
            guard bytes.count + Message.changesOverhead <= SyncLimits.frameBytes else {
                throw SessionFault(.limitExceeded, "a run of changes does not fit into a frame", .retry)
            }
            let last = Dot(run.chain, run.lastSequence)
            ready.append(ReadyRun(bytes: bytes, last: last))
            readyBytes += bytes.count
            known.raise(last.replica, to: last.sequence)
        }
    }

    /// The next frame that the window admits, and the latest changes of each chain in it.
    mutating func nextFrame(
        space: SpaceID, window: inout Window, now: Milliseconds
    ) -> (bytes: [UInt8], last: VersionVector)? {
        guard let first = ready.first else { return nil }
        let waiting = ready.elements
        let aim = min(
            max(window.flow.frameBytes, Message.changesOverhead + first.bytes.count), SyncLimits.frameBytes)
        var size = Message.changesOverhead
        var count = 0
        for run in waiting.prefix(SyncLimits.runsPerFrame) {
            guard size + run.bytes.count <= aim else { break }
            size += run.bytes.count
            count += 1
        }
        guard window.admits(size) else { return nil }
        let bytes = Message.changes(space, encodedRuns: waiting.prefix(count).map(\.bytes)[...])
        let last = VersionVector(waiting.prefix(count).map(\.last))
        ready.removeFirst(count)
        readyBytes -= size - Message.changesOverhead
        let departure = window.send(bytes.count, now: now)
        sent.append(SentFrame(last: last, byteCount: bytes.count, departure: departure))
        inFlightBytes += bytes.count
        return (bytes, last)
    }

    /// Takes what the peer has made durable, by the names of chains that it was sent, and releases what was on its way.
    mutating func acknowledged(_ vector: VersionVector) {
        peerHas(vector)
        acknowledged.merge(vector)
        waiting.removeAll { acknowledged.covers($0.last) }
        guard let arrived = sent.elements.lastIndex(where: { acknowledged.covers($0.last) }) else { return }
        // What was sent before something that is acknowledged has arrived: if it is not acknowledged, it waits for what it
        // depends on, and that must find room.
        for frame in sent.elements[...arrived] {
            inFlightBytes -= frame.byteCount
            if acknowledged.covers(frame.last) {
                measurable.append(AcknowledgedFrame(byteCount: frame.byteCount, departure: frame.departure))
            } else {
                waiting.append(frame)
            }
        }
        sent.removeFirst(arrived + 1 - sent.elements.startIndex)
    }

    /// What was sent before that point in time has reached the peer, and travels no more.
    mutating func arrived(before time: Milliseconds) {
        while let frame = sent.first, frame.departure.at < time {
            inFlightBytes -= frame.byteCount
            waiting.append(frame)
            sent.removeFirst()
        }
    }

    /// The frames that were acknowledged since this was asked last.
    mutating func takeMeasurable() -> [AcknowledgedFrame] {
        defer { measurable = [] }
        return measurable
    }
}
