// What a session does when a replica turns out to have signed two changes of one number, or when this side's own
// replica is written elsewhere, too. The names of chains follow from what is held, so such a finding ends the session;
// what matters is that each session that ends so has brought one side something that it lacked.

import ConcordCrypto
import ConcordModel

extension SpaceExchange {
    // MARK: Two changes of one number

    /// A replica is found to be forked, or the peer's word for it is.
    ///
    /// - Parameter isShown: whether both changes are held now: then the names of chains have changed here, and the
    ///   session ends at once. Otherwise the peer goes on from a change that is not held here; if this side knows that
    ///   the peer lacks what is held here, it sends that first, so that the next session begins closer.
    mutating func foundFork(of replica: ReplicaID, isShown: Bool, _ effects: inout [SessionEffect]) {
        if isShown { alarmFork(of: replica, &effects) }
        ending = isShown ? .forked : .unshownBranch
        endsAfterSending = !isShown && peerIsForked
        guard endsAfterSending, case .streaming(var stream) = phase else { return }
        phase = .opening
        stream.finish()
        phase = .streaming(stream)
    }

    /// Why the session must end now; nil while it goes on.
    var dueEnd: SessionFault? {
        guard endsAfterSending, case .streaming(let stream) = phase, !stream.isDrained else { return ending }
        return nil
    }

    /// Raises the alarm, once in a session. Only here, where both changes are held with their author's signature: what
    /// a peer merely says accuses nobody.
    private mutating func alarmFork(of replica: ReplicaID, _ effects: inout [SessionEffect]) {
        guard replica != ownReplica else {
            return reportElsewhere(
                "another change than ours came under a number of our own replica", &effects)
        }
        guard !forkReported else { return }
        forkReported = true
        effects.append(
            .alarm(
                space,
                ConcordError(
                    .equivocation,
                    "there are two changes of one number, each signed by their author: replica \(replica)")
            ))
    }

    // MARK: The own replica

    /// Whether the chain's name means the same on both sides: the id of a replica does, and the name of a branch that
    /// is known here.
    func isNamedHere(_ chain: ReplicaID) -> Bool {
        !peerBranches.contains(chain) || branchNames.contains(chain)
    }

    /// How much of a claim to have a change is believed. What the peer has of our own replica it has from us:
    /// a claim beyond our own latest change is first compared with a reading of the log that begins after it.
    ///
    /// - Parameter isShown: whether the peer says that it holds the change, and not only that it got it from us.
    mutating func believable(
        _ claim: Dot, isShown: Bool = true, _ effects: inout [SessionEffect]
    ) -> UInt64 {
        guard claim.replica == ownReplica, claim.sequence > ours[claim.replica] else { return claim.sequence }
        claimedOwn = max(claimedOwn, claim.sequence)
        if isShown { shownOwn = max(shownOwn, claim.sequence) }
        claimAwaitsNextReading = isReadingHeld
        readHeld(&effects)
        return ours[claim.replica]
    }

    /// Judges a claim to know more of our own replica than was known here: if it is true, this database was
    /// restored or cloned, and what the peer holds of the replica is asked for like that of any other.
    mutating func settleOwnClaim(against held: HeldSummary, _ effects: inout [SessionEffect]) {
        guard let ownReplica, claimedOwn > 0 else { return }
        guard !claimAwaitsNextReading else {
            claimAwaitsNextReading = false
            return
        }
        let own = held.vector[ownReplica]
        if claimedOwn > own {
            reportElsewhere(
                "the peer says that it knows change \(claimedOwn) of our own replica, of which we have \(own)",
                &effects)
        } else {
            theirs.raise(ownReplica, to: claimedOwn)
        }
        believeClaim()
    }

    /// Takes the peer's word for what it holds of our own replica, which may be another one from now on.
    mutating func believeClaim() {
        if let ownReplica, shownOwn > 0, !isUnclear(ownReplica) {
            peerHas(VersionVector([Dot(ownReplica, shownOwn)]))
        }
        (claimedOwn, shownOwn) = (0, 0)
    }

    /// The peer said under which replica it writes.
    mutating func peerWrites(under replica: ReplicaID?, _ effects: inout [SessionEffect]) {
        peerReplica = replica
        checkPeerReplica(&effects)
    }

    /// Two processes that write under one replica are an original and its copy.
    mutating func checkPeerReplica(_ effects: inout [SessionEffect]) {
        guard let ownReplica, ownReplica == peerReplica else { return }
        reportElsewhere(
            "the peer writes under our own replica: one of the two is a copy of the other", &effects)
    }

    mutating func reportElsewhere(_ message: String, _ effects: inout [SessionEffect]) {
        guard let ownReplica, !elsewhereReported else { return }
        elsewhereReported = true
        effects.append(.alarm(space, ConcordError(.ourReplicaElsewhere, message)))
        effects.append(.ownReplicaElsewhere(space, ownReplica))
    }
}
