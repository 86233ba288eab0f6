// The exchange of one space with one peer: both say in short what they hold; if that differs, both say it by
// replica; then each streams what the other lacks, for as long as the session lasts. What is written later,
// or arrives from elsewhere, is the same stream going on. Nothing is acknowledged here that the store has not
// made durable.

import ConcordCrypto
import ConcordModel

/// One space within a session.
struct SpaceExchange: Sendable {
    /// What this side held at one moment.
    struct Reading: Sendable {
        let held: HeldSummary
        let digest: Digest?
        var summary: Summary { Summary(held, digest: digest) }
    }

    /// How far the two have come.
    enum Phase: Sendable {
        /// At least one side has not said yet what it holds.
        case opening
        /// The summaries differ, and there are many heads: the peer's sketch of its own is awaited.
        case sketching(HeadSketch)
        /// The summaries differ; the peer's heads are awaited. Those of the ranges that look the same on both sides are
        /// not shown.
        case comparing(unshown: [ChainHead])
        /// The peer's heads are here; what they mean is for the store to say.
        case translating
        /// Changes flow.
        case streaming(OutgoingStream)
    }

    let space: SpaceID
    /// What both sides put before what they hash in a sketch.
    let salt: [UInt8]
    var phase = Phase.opening
    /// What is known to be held here, by the names that this side has for chains.
    var ours = VersionVector()
    /// What the peer has said or shown to hold, by the same names.
    var theirs = VersionVector()
    /// The names of chains here that are not the id of a replica, but stand for a branch of one.
    var branchNames: Set<ReplicaID> = []
    /// The replicas that have branches here: their numbers alone do not say which change is meant.
    var forkedHere: Set<ReplicaID> = []
    /// The names that the peer gave to branches.
    var peerBranches: Set<ReplicaID> = []
    var ownReplica: ReplicaID?
    /// The replica under which the peer writes.
    var peerReplica: ReplicaID?
    /// More of our own replica than we have: what the peer claimed, until it is compared with a fresh
    /// reading.
    var claimedOwn: UInt64 = 0
    /// How much of that the peer said to hold: what it acknowledges it only says to have got.
    var shownOwn: UInt64 = 0
    /// Whether the reading that is under way began before the claim.
    var claimAwaitsNextReading = false
    /// Whether the own replica was reported as written elsewhere: by a mere claim that happens once in a session.
    var elsewhereReported = false

    var sentReading: Reading?
    var receivedSummary: Summary?
    /// A reading that is to be sent as a summary as soon as the connection takes it.
    var readingToSend: Reading?
    var sketchToSend: HeadSketch?
    var headsToSend: [ChainHead]?
    var acknowledgementToSend = VersionVector()
    var acknowledged = VersionVector()

    var isReadingHeld = false
    var mustReadAgain = false
    var summaryWanted = true
    /// Whether the two caught up in this session and have not compared since.
    var catchUpToConfirm = false
    var quietSince: Milliseconds
    var summarySentAt: Milliseconds
    /// How often the two agreed since something moved.
    var agreements = 0
    var telling = Telling()
    var intake = IntakePart()

    /// Bytes of the frames that the store is working on.
    var applying = Queue<Int>()
    var applyingBytes = 0
    /// Frames with changes of our own replica that wait until it is clear whether these were known here.
    var waitingRuns: [[ChangeRun]] = []
    /// What was received and is not durable here yet, by the names that the peer has for chains.
    var owed = VersionVector()
    var position: Int64 = 0
    var digestEqual: Bool?
    /// Whether the peer's heads showed other changes than ours under the same numbers, until both hold the same.
    var peerIsForked = false
    /// The replicas of which that is so: what the peer says of their numbers means nothing in this session.
    var forkedAtPeer: Set<ReplicaID> = []
    var forkReported = false
    /// Why this session must end for a new one to compare anew; not before what the peer lacks was sent, if that is
    /// wanted.
    var ending: SessionFault?
    var endsAfterSending = false
    var disagreements = 0
    var reported: Progress?
    var receipts = ReceiptFlow()
    var receiptsWanted = true

    /// After so many comparisons in which both were idle and yet held different changes, a new session sorts
    /// it out.
    static let maximumDisagreements = 3

    init(_ head: SpaceHead, salt: [UInt8], now: Milliseconds) {
        space = head.space
        self.salt = salt
        ownReplica = head.replica
        quietSince = now
        summarySentAt = now
    }

    /// Begins: asks for what is held here.
    mutating func start(_ effects: inout [SessionEffect]) { readHeld(&effects) }

    /// This side's replica in the space is known now, or another one.
    mutating func update(_ head: SpaceHead, _ effects: inout [SessionEffect]) {
        guard ownReplica != head.replica else { return }
        believeClaim()
        ownReplica = head.replica
        // What was passed over before it was known to be one's own may be wanted unasked.
        onStream { $0.beginAgain() }
        checkPeerReplica(&effects)
    }

    // MARK: What the store says

    /// What is held here.
    mutating func held(
        _ held: HeldSummary, digest: Digest?, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        isReadingHeld = false
        ours.merge(held.vector)
        let replicas = Set(held.heads.map(\.dot.replica))
        forkedHere = Set(
            zip(held.heads, held.heads.dropFirst()).lazy.filter { $0.dot.replica == $1.dot.replica }
                .map(\.0.dot.replica))
        branchNames = Set(held.vector.elements.lazy.map(\.replica).filter { !replicas.contains($0) })
        advance(to: held.position)
        settleOwnClaim(against: held, &effects)
        oweLess(than: held.vector, repeating: false)
        if summaryWanted {
            summaryWanted = false
            readingToSend = Reading(held: held, digest: digest)
        }
        if mustReadAgain {
            mustReadAgain = false
            readHeld(&effects)
        }
        if claimedOwn == 0 {
            for runs in waitingRuns { effects.append(.apply(space, runs)) }
            waitingRuns = []
        }
    }

    /// The log grew.
    mutating func advanced(to position: Int64, held: VersionVector, now: Milliseconds) {
        ours.merge(held)
        // What came from elsewhere may be what this peer sent, and waits to hear of.
        if applying.isEmpty { oweLess(than: held, repeating: false) }
        // Where the position stays, values came that were lacking in what was held, or a reading was here before.
        moved(now)
        if position > self.position { advance(to: position) }
    }

    /// A part of the log was read.
    mutating func slice(_ slice: LogSlice) throws(SessionFault) {
        position = max(position, slice.position)
        let permission = permission
        guard case .streaming(var stream) = phase else { return }
        phase = .opening
        try stream.take(slice, permission)
        phase = .streaming(stream)
    }

    /// The store has dealt with what was received.
    mutating func applied(
        _ outcome: ReceiveOutcome, now: Milliseconds, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        guard let byteCount = applying.first else { return }
        applying.removeFirst()
        applyingBytes -= byteCount
        moved(now)
        if let refusal = outcome.refusal {
            // What merely lacks its dependencies may come in another order the next time.
            let isLack = refusal.code == .missingDependency
            throw SessionFault(refusal.code, refusal.message, isLack ? .retry : .fault)
        }
        for element in outcome.durable.elements where isNamedHere(element.replica) {
            ours.raise(element.replica, to: element.sequence)
        }
        oweLess(than: outcome.durable, repeating: true)
        if let replica = outcome.forked {
            return foundFork(of: replica, isShown: outcome.tookBranch, &effects)
        }
        if applying.isEmpty, !owed.isEmpty { readHeld(&effects) }
    }

    // MARK: Parts

    /// Nothing is on its way in either direction.
    var isIdle: Bool {
        guard case .streaming(let stream) = phase else { return false }
        return stream.isDrained && applying.isEmpty && acknowledgementToSend.isEmpty && headsToSend == nil
    }

    mutating func moved(_ now: Milliseconds) {
        quietSince = now
        digestEqual = nil
        disagreements = 0
        agreements = 0
    }

    mutating func readHeld(_ effects: inout [SessionEffect]) {
        guard !isReadingHeld else {
            mustReadAgain = true
            return
        }
        isReadingHeld = true
        effects.append(.readHeld(space))
    }

    mutating func advance(to position: Int64) {
        self.position = max(self.position, position)
        guard case .streaming(var stream) = phase else { return }
        phase = .opening
        stream.advance(to: position)
        phase = .streaming(stream)
    }

    /// The peer has this, and with `isAcknowledgement` says so to what was sent.
    mutating func peerHas(_ vector: VersionVector, isAcknowledgement: Bool = false) {
        theirs.merge(vector)
        guard case .streaming(var stream) = phase else { return }
        phase = .opening
        if isAcknowledgement { stream.acknowledged(vector) } else { stream.peerHas(vector) }
        phase = .streaming(stream)
    }

    /// Acknowledges what of the received changes is durable now.
    ///
    /// - Parameter repeating: whether to say again what was said before, as an answer to what was just received: the
    ///   earlier acknowledgement may have gone further than the peer could then believe.
    mutating func oweLess(than durable: VersionVector, repeating: Bool) {
        guard !owed.isEmpty else { return }
        var rest = VersionVector()
        for element in owed.elements {
            let present = durable[element.replica]
            if present > (repeating ? 0 : acknowledged[element.replica]) {
                acknowledgementToSend.raise(element.replica, to: present)
            }
            if present < element.sequence { rest[element.replica] = element.sequence }
        }
        owed = rest
    }
}

extension VersionVector {
    /// How many changes of `other` are not covered here. O(n).
    func shortfall(of other: VersionVector) -> Int64 {
        guard !covers(other) else { return 0 }
        var total: UInt64 = 0
        for element in other.elements {
            let own = self[element.replica]
            guard element.sequence > own else { continue }
            let (sum, isTooLarge) = total.addingReportingOverflow(element.sequence - own)
            total = isTooLarge ? .max : sum
        }
        return Int64(clamping: total)
    }
}
