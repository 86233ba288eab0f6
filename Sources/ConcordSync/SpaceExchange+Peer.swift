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
        if case .comparing = phase {
            throw SessionFault(.unexpectedMessage, "a summary came where a version vector was expected")
        }
        receivedSummary = summary
        if case .opening = phase { return begin(context, &effects) }
        guard let sentReading else { return }
        if summary.heldHash == sentReading.held.hash {
            disagreements = 0
            peerHas(sentReading.held.vector, context.now)
            compareDigests(context, &effects)
        } else if isIdle, !forked {
            disagreements += 1
            guard disagreements < Self.maximumDisagreements else {
                throw SessionFault(
                    .missingDependency,
                    "the two nodes hold different changes although all that was sent was acknowledged", .retry
                )
            }
        }
    }

    /// The peer's version vector.
    mutating func received(
        vector: VersionVector, context: SessionContext, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        guard case .comparing = phase, let sentReading else {
            throw SessionFault(.unexpectedMessage, "a version vector came unasked")
        }
        if vector == sentReading.held.vector {
            forked = true
            effects.append(
                .alarm(
                    space,
                    ConcordError(
                        .equivocation,
                        "the peer holds changes of the same numbers as we do, but not the same changes")))
        }
        theirs = vector
        if let ownReplica {
            theirs[ownReplica] = believable(Dot(ownReplica, vector[ownReplica]), &effects)
        }
        catchUpToConfirm = true
        phase = .streaming(OutgoingStream(after: 0, head: position, known: theirs))
        moved(context.now)
    }

    /// Changes.
    mutating func received(
        _ runs: [ChangeRun], frameBytes: Int, now: Milliseconds, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        guard case .streaming(var stream) = phase, vectorToSend == nil else {
            throw SessionFault(.unexpectedMessage, "changes came before it was clear which are lacking")
        }
        guard applyingBytes + frameBytes <= SyncLimits.windowBytes else {
            throw SessionFault(.limitExceeded, "more changes came than may be on their way unacknowledged")
        }
        phase = .opening
        for run in runs {
            owed.raise(run.replica, to: run.lastSequence)
            let believed = believable(Dot(run.replica, run.lastSequence), &effects)
            theirs.raise(run.replica, to: believed)
            stream.peerHas(Dot(run.replica, believed))
        }
        phase = .streaming(stream)
        moved(now)
        applying.append(frameBytes)
        applyingBytes += frameBytes
        effects.append(.apply(space, runs))
    }

    /// What the peer has made durable: believed as far as we can have sent it.
    mutating func received(
        acknowledgement: VersionVector, now: Milliseconds, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        guard case .streaming = phase, vectorToSend == nil else {
            throw SessionFault(.unexpectedMessage, "an acknowledgement came before anything was sent")
        }
        if let ownReplica { _ = believable(Dot(ownReplica, acknowledgement[ownReplica]), &effects) }
        peerHas(acknowledgement.intersection(ours), now)
        moved(now)
    }

    /// Goes on from the first pair of summaries, once both are there.
    mutating func begin(_ context: SessionContext, _ effects: inout [SessionEffect]) {
        guard let sentReading, let receivedSummary else { return }
        guard receivedSummary.heldHash == sentReading.held.hash else {
            vectorToSend = sentReading.held.vector
            phase = .comparing
            return
        }
        theirs = sentReading.held.vector
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

    /// How much of a claim to have a change is believed. What the peer has of our own replica it has from us:
    /// a claim beyond our own latest change is first compared with a fresh reading of the log.
    mutating func believable(_ claim: Dot, _ effects: inout [SessionEffect]) -> UInt64 {
        guard claim.replica == ownReplica, claim.sequence > ours[claim.replica] else { return claim.sequence }
        claimedOwn = max(claimedOwn, claim.sequence)
        readHeld(&effects)
        return ours[claim.replica]
    }
}
