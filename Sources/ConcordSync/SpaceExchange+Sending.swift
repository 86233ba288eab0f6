// What this side says about one space, as far as the connection and the window allow, and when it is time to
// compare again.

import ConcordCrypto
import ConcordModel

extension SpaceExchange {
    /// The bytes that wait to be sent or may come from a read.
    var plannedBytes: Int {
        guard case .streaming(let stream) = phase else { return 0 }
        return stream.readyBytes + stream.reserved
    }

    /// The bytes that are sent and not acknowledged.
    var inFlightBytes: Int {
        guard case .streaming(let stream) = phase else { return 0 }
        return stream.inFlightBytes
    }

    /// The bytes that have arrived and wait there for what they depend on.
    var waitingBytes: Int {
        guard case .streaming(let stream) = phase else { return 0 }
        return stream.waitingBytes
    }

    /// In how many frames the bytes that are sent and not acknowledged are.
    var framesInFlight: Int {
        guard case .streaming(let stream) = phase else { return 0 }
        return stream.framesInFlight
    }

    /// Whether the peer asked for something that the window has no room for.
    var isHeldBack: Bool {
        guard case .streaming(let stream) = phase else { return false }
        return stream.isHeldBack
    }

    /// When the oldest frame that is not acknowledged was sent.
    var oldestSentAt: Milliseconds? {
        guard case .streaming(let stream) = phase else { return nil }
        return stream.oldestSentAt
    }

    /// The frames that were acknowledged since this was asked last.
    mutating func takeMeasurable() -> [OutgoingStream.AcknowledgedFrame] {
        guard case .streaming(var stream) = phase else { return [] }
        phase = .opening
        defer { phase = .streaming(stream) }
        return stream.takeMeasurable()
    }

    /// Sends what the connection takes now; called only while it takes something.
    mutating func send(_ context: SessionContext, window: inout Window, _ effects: inout [SessionEffect]) {
        if let reading = readingToSend {
            readingToSend = nil
            sentReading = reading
            summarySentAt = context.now
            effects.append(.send(Message.summary(space, reading.summary).encoded()))
            switch phase {
            case .opening: begin(context, &effects)
            case .sketching, .comparing, .translating: break
            case .streaming:
                // The peer, too, compares the latest that it heard with the latest that it said.
                if receivedSummary?.heldHash == reading.held.hash {
                    (disagreements, peerIsForked) = (0, false)
                    peerHas(reading.held.vector)
                    telling.told.merge(reading.held.vector)
                }
                compareDigests(context, &effects)
            }
        }
        if let sketch = sketchToSend {
            sketchToSend = nil
            effects.append(.send(Message.sketch(space, sketch).encoded()))
        }
        sendFlow(&effects)
        if let heads = headsToSend {
            headsToSend = nil
            if let sentReading { telling.told.merge(sentReading.held.vector) }
            effects.append(.send(Message.vector(space, heads).encoded()))
        }
        sendAcknowledgement(&effects)
        sendWants(&effects)
        sendChanges(context, window: &window, &effects)
        sendAnnouncement(context, &effects)
    }

    private mutating func sendChanges(
        _ context: SessionContext, window: inout Window, _ effects: inout [SessionEffect]
    ) {
        let permission = permission
        let sendsReceipts = telling.peerFlow.rawValue >= FlowMode.announce.rawValue
        guard case .streaming(var stream) = phase else { return }
        phase = .opening
        let waiting = stream.readyBytes
        while let frame = stream.nextFrame(space: space, window: &window, now: context.now) {
            ours.merge(frame.last)
            telling.told.merge(frame.last)
            moved(context.now)
            let packed = window.packs ? Message.packed(frame.bytes) : nil
            effects.append(.send(packed ?? frame.bytes))
        }
        window.planned -= waiting - stream.readyBytes
        if let maximumBytes = stream.nextRead(window, permission) {
            window.planned += stream.reserved
            effects.append(
                .readSlice(
                    space, after: stream.cursor,
                    excluding: LeftOut(all: stream.excluded(permission), had: stream.had),
                    maximumBytes: maximumBytes))
        }
        let perSecond = window.flow.bytesPerSecond
        if sendsReceipts, let frame = receipts.nextFrame(space: space, perSecond: perSecond, now: context.now)
        {
            effects.append(.send(frame))
        }
        phase = .streaming(stream)
    }

    /// Says what of the received changes is durable, if there is something to say and the peer can take it.
    mutating func sendAcknowledgement(_ effects: inout [SessionEffect]) {
        guard !acknowledgementToSend.isEmpty, headsToSend == nil else { return }
        effects.append(.send(Message.acknowledge(space, acknowledgementToSend).encoded()))
        acknowledged.merge(acknowledgementToSend)
        // Beyond what it has itself the peer does not believe an acknowledgement: of that it is to be told.
        for element in acknowledgementToSend.elements where isNamedHere(element.replica) {
            telling.told.raise(element.replica, to: min(element.sequence, theirs[element.replica]))
        }
        acknowledgementToSend = VersionVector()
    }

    /// Reads again what is held when it is time to compare.
    mutating func tick(_ context: SessionContext, _ effects: inout [SessionEffect]) {
        if let due = compareAt(context.configuration), due <= context.now {
            catchUpToConfirm = false
            summarySentAt = context.now
            summaryWanted = true
            readHeld(&effects)
        }
    }

    /// When a tick is wanted; nil if none is. What is to be announced waits until the connection takes it: then a tick
    /// would change nothing, and be wanted again at once.
    func tickAt(_ configuration: SessionConfiguration, isWritable: Bool) -> Milliseconds? {
        [compareAt(configuration), isWritable ? tellAt(configuration) : nil].compactMap { $0 }.min()
    }

    /// When the next receipts may be sent; nil if none wait.
    var receiptsAt: Milliseconds? {
        guard case .streaming = phase, telling.peerFlow.rawValue >= FlowMode.announce.rawValue else {
            return nil
        }
        return receipts.dueAt
    }

    /// When the two should compare next; nil while changes flow.
    private func compareAt(_ configuration: SessionConfiguration) -> Milliseconds? {
        guard isIdle, !summaryWanted, readingToSend == nil else { return nil }
        // With many peers each is compared with more seldom; with those that agree more seldom still.
        let interval = min(
            configuration.compareInterval * Int64(max(1, intake.order.peers / 8))
                << Int64(min(agreements, 4)),
            configuration.longestCompareInterval)
        let periodic = max(summarySentAt + interval, quietSince + configuration.quietInterval)
        // A peer that says at once what it holds should have said by then what made the difference.
        if disagreements > 0, intake.saidFlow.rawValue >= FlowMode.announce.rawValue {
            return min(periodic, max(summarySentAt, quietSince) + 3 * configuration.quietInterval)
        }
        guard catchUpToConfirm, ours.shortfall(of: theirs) == 0 else { return periodic }
        return min(periodic, quietSince + configuration.settleInterval)
    }

    /// Says how far the two are apart, if that changed.
    mutating func reportProgress(_ effects: inout [SessionEffect]) {
        guard case .streaming(let stream) = phase else { return }
        let progress = Progress(
            theyLack: theirs.shortfall(of: expectedOfPeer), weLack: ours.shortfall(of: theirs),
            digestEqual: digestEqual,
            isDrained: stream.isDrained && applying.isEmpty && owed.isEmpty && !peerIsForked)
        if progress.inStep, receiptsWanted {
            receiptsWanted = false
            effects.append(.readReceipts(space))
        }
        guard progress != reported else { return }
        reported = progress
        effects.append(.progress(space, progress))
    }
}

extension Progress {
    fileprivate init(theyLack: Int64, weLack: Int64, digestEqual: Bool?, isDrained: Bool) {
        self.theyLack = theyLack
        self.weLack = weLack
        self.digestEqual = digestEqual
        inStep = isDrained && theyLack == 0 && weLack == 0
    }
}
