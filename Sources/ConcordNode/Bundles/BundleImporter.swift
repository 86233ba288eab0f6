// Takes in a volume that was found whole, genuine and meant for this node. Its changes, receipts and files are judged as if
// a peer had sent them, by the same code; so it may come twice, or too early, and does no harm.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import Logging

/// What became of a volume.
struct BundleIntake: Sendable {
    /// Changes that were new.
    var applied: Int64 = 0
    /// Receipts that were new.
    var receipts: Int64 = 0
    /// Files that are whole now and were not before.
    var files: Int64 = 0
    /// Why some of it could not be taken; nil if all of it is here now.
    var shortfall: ConcordError?
}

/// Takes in volumes.
struct BundleImporter: Sendable {
    let store: ReplicaStore
    let attachments: AttachmentKeeper
    let peers: any PeerServices
    let logger: Logger
    let clock: @Sendable () -> Int64

    /// What is still to be seen here of what the volume brought.
    private struct Waiting {
        var last = VersionVector()
        var lacks: Dot?
        /// A replica of which the exporter holds another branch.
        var disputed: ReplicaID?

        mutating func settle(_ runs: [ChangeRun], _ outcome: ReceiveOutcome) {
            for run in runs { last.raise(run.chain, to: run.lastSequence) }
            for element in outcome.durable.elements where last[element.replica] <= element.sequence {
                last[element.replica] = 0
            }
            lacks = lacks ?? outcome.lacks
            if !outcome.tookBranch { disputed = disputed ?? outcome.forked }
        }
    }

    /// Takes in a volume.
    ///
    /// - Throws: ``ConcordError`` if one of its changes is refused; what was good before it stays.
    func take(_ volume: BundleVolume) async throws -> BundleIntake {
        let space = volume.header.space
        var intake = BundleIntake()
        var waiting = Waiting()
        var files = FileIntake(space: space, store: store, attachments: attachments)
        do {
            var frames = volume.frames
            while let content = try frames.next() {
                switch content {
                case .changes(let runs): waiting.settle(runs, try await take(runs, in: space, &intake))
                case .receipts(let receipts):
                    intake.receipts += try await take(receipts, volume.header)
                case .piece(let place, let bytes): try await files.take(bytes, at: place)
                }
            }
        } catch {
            await files.end()
            throw error
        }
        await files.end()
        intake.files = files.completed
        if !waiting.last.isEmpty || waiting.disputed != nil { waiting = try await review(volume, &intake) }
        intake.shortfall =
            try await elsewhere(volume.header) ?? shortfall(waiting, volume.header) ?? files.shortfall
            ?? shortfall(files, volume.header) ?? base(volume.header)
        return intake
    }

    /// Whether somebody holds changes of this node's own replica that are not here, by what the bundle or a receipt says:
    /// then this database was set back, or is in use twice, and must not go on under that replica.
    private func elsewhere(_ header: BundleHeader) async throws -> ConcordError? {
        guard let own = try store.ownHead(header.space) else { return nil }
        let receipts = try ReceiptKeeper(store: store).all(of: header.space)
        let claims = [header.from, header.to] + receipts.map(\.holds)
        guard let last = claims.map({ $0[own.replica] }).max(), last > own.sequence else { return nil }
        await peers.isElsewhere(own.replica, in: header.space)
        return ConcordError(
            .ourReplicaElsewhere,
            "others hold change \(last) of this node's own replica \(own.replica), of which \(own.sequence) "
                + "are here: this database was set back, or is in use twice; it goes on under a new replica id"
        )
    }

    /// What the exporter took for granted must be here, also where nothing that came depends on it.
    private func base(_ header: BundleHeader) throws -> ConcordError? {
        let lacking = BundleReport.shortfall(try store.held(header.space).vector, of: header.from)
        guard lacking > 0 else { return nil }
        let sentence =
            "volume \(header.volume) of \(header.volumes) builds on \(lacking) changes that are not here"
        return Self.tooEarly(sentence, header, isEarlier: header.volume > 1)
    }

    private func take(
        _ runs: [ChangeRun], in space: SpaceID, _ intake: inout BundleIntake
    ) async throws -> ReceiveOutcome {
        // A branch that is taken in ends a delivery: what follows it is looked at once more. There are at most so many.
        for _ in 0...runs.count {
            let outcome = try await store.receive(runs, in: space)
            intake.applied += Int64(outcome.applied)
            if let refusal = outcome.refusal {
                throw ConcordError(
                    refusal.code, "a change of the bundle is refused: \(refusal.message)",
                    action: "compare `concord verify` on the exporter and here")
            }
            guard let forked = outcome.forked, outcome.tookBranch else { return outcome }
            await peers.tookBranch(of: forked, in: space)
        }
        return try await store.receive(runs, in: space)
    }

    /// Looks once more at changes that were not taken the first time: what they waited for may have come after them.
    private func review(_ volume: BundleVolume, _ intake: inout BundleIntake) async throws -> Waiting {
        var waiting = Waiting()
        var frames = volume.frames
        while let content = try frames.next() {
            guard case .changes(let runs) = content else { continue }
            waiting.settle(runs, try await take(runs, in: volume.header.space, &intake))
        }
        return waiting
    }

    private func take(_ receipts: [Receipt], _ header: BundleHeader) async throws -> Int64 {
        let kept = try await ReceiptKeeper(store: store).keep(
            receipts, in: header.space, now: clock(), isCarried: true)
        if let refusal = kept.refusal {
            logger.warning(
                "receipts of a bundle are refused",
                metadata: [
                    "count": "\(kept.refused)", "code": "\(refusal.code.rawValue)",
                    "reason": "\(refusal.message)",
                ])
        }
        if !kept.new.isEmpty { await peers.learned(kept.new, in: header.space, from: header.exporter) }
        return Int64(kept.new.count)
    }

    /// A file that nothing names is no loss, unless its record is what the volume builds upon.
    private func shortfall(_ files: FileIntake, _ header: BundleHeader) throws -> ConcordError? {
        guard let blob = files.unnamed, try !store.held(header.space).vector.covers(header.from) else {
            return nil
        }
        return Self.tooEarly(
            "volume \(header.volume) of \(header.volumes) holds attachment \(blob), whose record is not here",
            header, isEarlier: header.volume > 1)
    }

    private func shortfall(_ waiting: Waiting, _ header: BundleHeader) -> ConcordError? {
        if let replica = waiting.disputed {
            return ConcordError(
                .incompleteBundle,
                "the exporter holds another history of replica \(replica) than this node, and the bundle does not show where it begins",
                action: "have a bundle exported with --all")
        }
        guard !waiting.last.isEmpty else { return nil }
        let missing = waiting.lacks.map { "change \($0.sequence) of replica \($0.replica)" } ?? "changes"
        let earlier = waiting.lacks.map { header.volume > 1 && header.from.contains($0) } ?? false
        let sentence = "volume \(header.volume) of \(header.volumes) builds on \(missing), which is not here"
        return Self.tooEarly(sentence, header, isEarlier: earlier)
    }

    private static func tooEarly(_ sentence: String, _ header: BundleHeader, isEarlier: Bool) -> ConcordError
    {
        guard isEarlier else {
            return ConcordError(
                .incompleteBundle, sentence,
                action: "import what was exported before, or have a bundle exported with --all")
        }
        let before = header.volume == 2 ? "volume 1" : "volumes 1 to \(header.volume - 1)"
        return ConcordError(
            .incompleteBundle, sentence, action: "import \(before) of this bundle, then this one again")
    }
}
