// What this side tells the peer of what it holds, what it wants from it, and what the peer says of the same. Only what
// the peer cannot know yet is told: soon where the peer wants to hear of what it lacks, otherwise after a while and
// all at once.

import ConcordCrypto
import ConcordModel

/// What was told and what is to be told.
struct Telling: Sendable {
    /// What the peer knows that this side holds, by this side's names of chains.
    var told = VersionVector()
    /// What the peer wants unasked.
    var peerFlow = FlowMode.all
    /// Since when there is something that the peer does not know, and since when something that it lacks.
    var untoldSince: Milliseconds?
    var urgentSince: Milliseconds?
    var announcedAt = Milliseconds.min
    /// What the peer asked for before it was clear here what it has.
    var wantedEarly = VersionVector()
}

/// The session's part in deciding from whom this node takes what.
struct IntakePart: Sendable {
    var order = IntakeOrder()
    /// What the peer was told to send unasked.
    var saidFlow = FlowMode.all
    /// What the peer is to be asked for.
    var wantsToSend = VersionVector()
    var reported: IntakeReport?
    /// Whether a report has no answer yet: until then the order is of the past.
    var awaitsOrder = false
    var frames = 0
    var roundTrip: Milliseconds?

    /// The round trip, as long as it did not change by a half: what varies a little is no news.
    var roundTripToReport: Milliseconds? {
        guard let roundTrip, let before = reported?.roundTrip else { return roundTrip }
        return roundTrip > before + before / 2 + 10 || roundTrip + 10 < before / 2 ? roundTrip : before
    }
}

extension SpaceExchange {
    // MARK: What the peer may be sent

    /// What of the log the peer is to be sent now. Where branches are to be sorted out it gets everything, in an order in
    /// which each branch comes after what it depends on.
    var permission: StreamPermission {
        let isAll = peerIsForked || telling.peerFlow != .hold && peerLacksBranches
        return StreamPermission(mode: isAll ? .all : telling.peerFlow, pushed: ownReplica, held: ours)
    }

    /// Whether the peer may lack something of a replica that has branches here: that cannot be announced.
    private var peerLacksBranches: Bool {
        guard !branchNames.isEmpty, case .streaming(let stream) = phase else { return false }
        return branchNames.union(forkedHere).contains { ours[$0] > stream.known[$0] }
    }

    /// What the peer wants unasked from now on, and what it holds.
    mutating func received(
        _ mode: FlowMode, _ vector: VersionVector, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        try learn(vector, &effects)
        telling.peerFlow = mode
    }

    /// What the peer holds.
    mutating func received(
        announcement vector: VersionVector, now: Milliseconds, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        try expectStreaming("an announcement came before it was clear what is lacking")
        if !ours.covers(vector) { moved(now) }
        try learn(vector, &effects)
    }

    /// What the peer asks for.
    mutating func received(_ spans: [ChainSpan]) throws(SessionFault) {
        try expectStreaming("changes were asked for before it was clear which are lacking")
        guard case .streaming = phase else {
            // The store still thinks about the peer's heads.
            for span in spans { telling.wantedEarly.raise(span.chain, to: span.upTo) }
            guard telling.wantedEarly.elements.count <= Limits.versionVectorEntries else {
                throw SessionFault(.limitExceeded, "changes of too many chains are asked for")
            }
            return
        }
        for span in spans {
            // The number says nothing where the peer is known to have other changes under the same.
            let from = isUnclear(span.chain) ? 0 : min(span.from, ours[span.chain])
            theirs.raise(span.chain, to: from)
            onStream { $0.want(ChainSpan(chain: span.chain, from: from, upTo: span.upTo)) }
        }
        guard case .streaming(let stream) = phase, stream.wantedChains <= Limits.versionVectorEntries,
            theirs.elements.count <= 2 * Limits.versionVectorEntries
        else { throw SessionFault(.limitExceeded, "changes of too many chains are asked for") }
    }

    /// The peer says that it holds this: of our own replica it can hold only what we have, unless that is written
    /// elsewhere, too.
    private mutating func learn(
        _ vector: VersionVector, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        guard !vector.isEmpty else { return }
        var believed = vector
        for chain in forkedHere.union(forkedAtPeer) { believed[chain] = 0 }
        if let ownReplica, vector[ownReplica] > 0, !isUnclear(ownReplica) {
            believed[ownReplica] = believable(Dot(ownReplica, vector[ownReplica]), &effects)
        }
        peerHas(believed)
        guard theirs.elements.count <= 2 * Limits.versionVectorEntries else {
            throw SessionFault(.limitExceeded, "the peer claims to hold changes of too many chains")
        }
    }

    /// Whether a number of this chain may mean another change to the peer than here.
    func isUnclear(_ chain: ReplicaID) -> Bool {
        forkedHere.contains(chain) || forkedAtPeer.contains(chain)
    }

    /// Takes up what the peer asked for while its heads were compared: what it has of that they have said.
    mutating func takeUpEarlyWants() {
        for element in telling.wantedEarly.elements {
            onStream { stream in
                stream.want(ChainSpan(chain: element.replica, from: 0, upTo: element.sequence))
            }
        }
        telling.wantedEarly = VersionVector()
    }

    /// What was sent before that point in time has reached the peer.
    mutating func arrived(before time: Milliseconds) { onStream { $0.arrived(before: time) } }

    mutating func onStream(_ body: (inout OutgoingStream) -> Void) {
        guard case .streaming(var stream) = phase else { return }
        phase = .opening
        body(&stream)
        phase = .streaming(stream)
    }

    /// What the peer should say to have before long: all, unless each takes from others what these write.
    var expectedOfPeer: VersionVector {
        let isClose =
            telling.peerFlow == .all || telling.peerFlow == .hold || intake.saidFlow == .all
            || intake.saidFlow == .announce
        guard !isClose else { return ours }
        var expected = VersionVector()
        for chain in branchNames.union([ownReplica].compactMap { $0 }) { expected[chain] = ours[chain] }
        return expected
    }

    // MARK: Telling

    /// What the peer does not know that this side holds, without what it is being sent.
    private var untold: VersionVector {
        guard case .streaming(let stream) = phase, !telling.told.covers(ours) else { return VersionVector() }
        let permission = permission
        var untold = VersionVector()
        for element in ours.elements
        where element.sequence > telling.told[element.replica] && !branchNames.contains(element.replica)
            && !forkedHere.contains(element.replica)
        {
            let isPushed =
                permission.mode == .all
                || permission.mode != .hold && permission.pushed == element.replica
            let told = isPushed ? min(element.sequence, stream.known[element.replica]) : element.sequence
            if told > telling.told[element.replica] { untold[element.replica] = told }
        }
        return untold
    }

    /// Notes since when there is something to tell.
    mutating func noteUntold(_ now: Milliseconds) {
        let untold = untold
        telling.untoldSince = untold.isEmpty ? nil : telling.untoldSince ?? now
        let isUrgent = telling.peerFlow == .announce && !theirs.covers(untold)
        telling.urgentSince = isUrgent ? telling.urgentSince ?? now : nil
    }

    /// When to announce what the peer does not know; nil if there is nothing.
    func tellAt(_ configuration: SessionConfiguration) -> Milliseconds? {
        if let since = telling.urgentSince {
            guard telling.announcedAt > .min else { return since + configuration.announceDelay }
            return max(
                since + configuration.announceDelay, telling.announcedAt + configuration.announceInterval)
        }
        guard let since = telling.untoldSince else { return nil }
        let isFar = telling.peerFlow == .own || telling.peerFlow == .hold
        return since + configuration.tellInterval * Int64(isFar ? max(1, intake.order.peers) : 1)
    }

    /// Announces what the peer does not know, if it is time.
    mutating func sendAnnouncement(_ context: SessionContext, _ effects: inout [SessionEffect]) {
        noteUntold(context.now)
        guard let due = tellAt(context.configuration), due <= context.now else { return }
        let untold = untold
        effects.append(.send(Message.announce(space, untold).encoded()))
        telling.told.merge(untold)
        telling.announcedAt = context.now
        noteUntold(context.now)
    }

    // MARK: Taking

    /// The node's intake has decided.
    mutating func ordered(_ order: IntakeOrder) {
        intake.awaitsOrder = false
        intake.wantsToSend.merge(order.wanted)
        // What another session brought about may reach this one after the answer to its own report.
        guard order.number >= intake.order.number else { return }
        intake.order = order
    }

    /// Says what the peer should send unasked, where that is not what it was told before: with the heads at the
    /// latest, so that it sends nothing too much.
    mutating func sendFlow(_ effects: inout [SessionEffect]) {
        let mode = intake.order.mode
        guard mode != intake.saidFlow else { return }
        var vector = VersionVector()
        switch phase {
        case .opening, .sketching: return
        case .comparing: break
        case .translating, .streaming:
            guard !intake.awaitsOrder else { return }
            if mode == .all || intake.saidFlow == .hold { vector = untold }
        }
        intake.saidFlow = mode
        telling.told.merge(vector)
        effects.append(.send(Message.flow(space, mode, vector).encoded()))
    }

    /// Asks for what is to be asked for and has not come meanwhile.
    mutating func sendWants(_ effects: inout [SessionEffect]) {
        guard !intake.wantsToSend.isEmpty, case .streaming = phase else { return }
        let spans = intake.wantsToSend.elements.compactMap { element -> ChainSpan? in
            let from = ours[element.replica]
            guard from < element.sequence else { return nil }
            return ChainSpan(chain: element.replica, from: from, upTo: element.sequence)
        }
        intake.wantsToSend = VersionVector()
        guard !spans.isEmpty else { return }
        for span in spans { telling.told.raise(span.chain, to: span.from) }
        effects.append(.send(Message.want(space, spans).encoded()))
    }

    /// Says where this session stands, if that changed.
    mutating func reportToIntake(_ effects: inout [SessionEffect]) {
        let stage: IntakeReport.Stage =
            switch phase {
            case .opening: .opening
            case .sketching, .comparing, .translating: .comparing
            case .streaming: .streaming
            }
        var (lacking, holding) = (VersionVector(), VersionVector())
        let receiving = VersionVector(owed.dots.filter { isNamedHere($0.replica) })
        if !ours.covers(theirs) {
            for element in theirs.elements
            where element.sequence > max(ours[element.replica], receiving[element.replica]) {
                lacking[element.replica] = element.sequence
                holding[element.replica] = ours[element.replica]
            }
        }
        let report = IntakeReport(
            stage: stage, lacking: lacking, holding: holding, receiving: receiving, author: peerReplica,
            isIncomplete: applying.isEmpty && !owed.isEmpty, frames: intake.frames,
            roundTrip: intake.roundTripToReport)
        guard report != intake.reported else { return }
        intake.reported = report
        intake.awaitsOrder = true
        effects.append(.intake(space, report))
    }
}
