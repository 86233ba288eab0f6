// What the peer says about one space, and what follows from it. A claim of the peer never makes this side
// believe that something is durable there which this side cannot have sent.

import ConcordCrypto
import ConcordModel

extension SpaceExchange {
    /// The peer's summary.
    mutating func received(_ summary: Summary, context: SessionContext, _ effects: inout [SessionEffect])
        throws(SessionFault)
    {
        if case .opening = phase, receivedSummary != nil {
            throw SessionFault(.unexpectedMessage, "a second summary came before the first was answered")
        }
        switch phase {
        case .sketching, .comparing:
            throw SessionFault(.unexpectedMessage, "a summary came where heads were expected")
        case .opening, .translating, .streaming: break
        }
        receivedSummary = summary
        if case .opening = phase { return begin(context, &effects) }
        guard case .streaming = phase, let sentReading else { return }
        if summary.heldHash == sentReading.held.hash {
            disagreements = 0
            agreements += 1
            peerIsForked = false
            peerHas(sentReading.held.vector)
            telling.told.merge(sentReading.held.vector)
            compareDigests(context, &effects)
        } else if isIdle, theirs.shortfall(of: ours) == 0, ours.shortfall(of: theirs) == 0 {
            // A peer may compare more often than we do; what came since we last said what we hold is no disagreement.
            guard sentReading.held.position >= position else { return }
            disagreements += 1
            guard disagreements < Self.maximumDisagreements else {
                throw SessionFault(
                    .missingDependency,
                    "the two nodes hold different changes although all that was sent was acknowledged", .retry
                )
            }
        }
    }

    /// The peer's sketch: the heads of the ranges that differ are to be shown.
    mutating func received(_ sketch: HeadSketch) throws(SessionFault) {
        guard case .sketching(let own) = phase, sketch.bits == own.bits, let sentReading else {
            throw SessionFault(.unexpectedMessage, "a sketch came unasked, or of another size than agreed")
        }
        let parts = own.divide(sentReading.held.heads, against: sketch)
        headsToSend = parts.unequal
        phase = .comparing(unshown: parts.equal)
    }

    /// The peer's heads: what they mean is for the store to say.
    mutating func received(
        heads: [ChainHead], now: Milliseconds, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        guard case .comparing(let unshown) = phase else {
            throw SessionFault(.unexpectedMessage, "heads came unasked")
        }
        for head in heads where head.dot.replica == ownReplica { _ = believable(head.dot, &effects) }
        phase = .translating
        moved(now)
        effects.append(.compare(space, unshown.isEmpty ? heads : Set(heads).union(unshown).sorted()))
    }

    /// What the peer's heads mean here.
    mutating func compared(
        _ comparison: HeadComparison, now: Milliseconds, _ effects: inout [SessionEffect]
    ) {
        guard case .translating = phase else { return }
        var known = comparison.known
        if let ownReplica { known[ownReplica] = min(known[ownReplica], ours[ownReplica]) }
        theirs.merge(known)
        if !comparison.forked.isEmpty {
            peerIsForked = true
            forkedAtPeer = Set(comparison.forked)
            if let ownReplica, comparison.forked.contains(ownReplica) {
                reportElsewhere(
                    "the peer says that it knows another change than ours under a number of our own replica",
                    &effects)
            }
        }
        catchUpToConfirm = true
        phase = .streaming(OutgoingStream(after: 0, head: position, known: theirs))
        takeUpEarlyWants()
        moved(now)
    }

    /// Changes.
    mutating func received(
        _ runs: [ChangeRun], frameBytes: Int, now: Milliseconds, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        try expectStreaming("changes came before it was clear which are lacking")
        guard applyingBytes + frameBytes <= SyncLimits.windowBytes else {
            throw SessionFault(.limitExceeded, "more changes came than may be on their way unacknowledged")
        }
        var shown = VersionVector()
        for run in runs {
            owed.raise(run.chain, to: run.lastSequence)
            if run.chain != run.replica { peerBranches.insert(run.chain) }
            let claim = Dot(run.replica, run.lastSequence)
            if run.replica == ownReplica {
                shown.raise(run.replica, to: believable(claim, &effects))
            } else if isNamedHere(run.chain) {
                shown.raise(run.chain, to: run.lastSequence)
            }
        }
        guard max(owed.elements.count, peerBranches.count) <= Limits.versionVectorEntries else {
            throw SessionFault(
                .limitExceeded, "changes of too many chains wait for others that were not sent")
        }
        peerHas(shown)
        moved(now)
        intake.frames += 1
        applying.append(frameBytes)
        applyingBytes += frameBytes
        if claimedOwn > 0 { waitingRuns.append(runs) } else { effects.append(.apply(space, runs)) }
    }

    /// What the peer has made durable: believed as far as we can have sent it.
    mutating func received(
        acknowledgement: VersionVector, now: Milliseconds, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        guard case .streaming = phase, headsToSend == nil else {
            throw SessionFault(.unexpectedMessage, "an acknowledgement came before anything was sent")
        }
        if let ownReplica, !elsewhereReported {
            _ = believable(Dot(ownReplica, acknowledgement[ownReplica]), isShown: false, &effects)
        }
        peerHas(acknowledgement.intersection(ours), isAcknowledgement: true)
        moved(now)
    }

    /// Receipts of nodes of the space.
    mutating func received(
        _ receipts: [Receipt], now: Milliseconds, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        try expectStreaming("receipts came before it was clear what is lacking")
        let fresh = try self.receipts.take(receipts, now: now)
        if !fresh.isEmpty { effects.append(.receipts(space, fresh)) }
    }

    /// The peer may stream as soon as it has our heads, if it needs them: its changes may come while our store still
    /// thinks about its heads.
    func expectStreaming(_ otherwise: String) throws(SessionFault) {
        switch phase {
        case .translating where headsToSend == nil: break
        case .streaming where headsToSend == nil: break
        default: throw SessionFault(.unexpectedMessage, otherwise)
        }
    }

    /// Goes on from the first pair of summaries, once both are there.
    mutating func begin(_ context: SessionContext, _ effects: inout [SessionEffect]) {
        guard let sentReading, let receivedSummary else { return }
        guard receivedSummary.heldHash == sentReading.held.hash else {
            let heads = sentReading.held.heads
            if let bits = HeadSketch.bits(headCount: max(receivedSummary.headCount, UInt64(heads.count))) {
                let sketch = HeadSketch(heads, bits: bits, salt: salt)
                sketchToSend = sketch
                phase = .sketching(sketch)
            } else {
                headsToSend = heads
                phase = .comparing(unshown: [])
            }
            return
        }
        theirs = sentReading.held.vector
        telling.told = theirs
        phase = .streaming(OutgoingStream(after: sentReading.held.position, head: position, known: theirs))
        compareDigests(context, &effects)
    }

    /// Compares what follows from equal changes: it must be equal (replication.md §4, "Digest").
    mutating func compareDigests(_ context: SessionContext, _ effects: inout [SessionEffect]) {
        guard let sentReading, let receivedSummary, receivedSummary.heldHash == sentReading.held.hash,
            context.sameVocabulary, let own = sentReading.digest, let other = receivedSummary.digest
        else { return }
        let wasUnequal = digestEqual == false
        digestEqual = own == other
        guard own != other, !wasUnequal else { return }
        effects.append(
            .alarm(
                space,
                ConcordError(
                    .digestMismatch,
                    "the peer holds the same changes and sees another state: its digest is \(other), "
                        + "ours \(own)")))
    }
}
