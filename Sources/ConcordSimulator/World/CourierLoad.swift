// What somebody carries from one ministry to another: volumes of a bundle, in the form in which files have them
// (Protocol/bundles.md), without an envelope. What the target is known to hold is left out, or nothing is.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync

/// A load on its way.
struct CourierLoad: Sendable {
    /// The volumes, as bytes.
    private(set) var volumes: [[UInt8]]
    /// Whether a byte of it was altered on the way.
    private(set) var isDamaged = false
    /// Whether it is of a later version, which nobody here can read.
    private(set) var isLater = false

    /// What a node carries for another one: all that its store holds without what is known to be there, and the receipts.
    ///
    /// - Parameters:
    ///   - count: how many volumes it is to have at most.
    ///   - clock: the node's.
    init(
        of store: ReplicaStore, space: SpaceID, by identity: SimulatedIdentity, for member: MemberID,
        excluding base: VersionVector, volumes count: Int, clock: Int64
    ) throws {
        let runs = try store.runs(of: space, excluding: base)
        let share = max(1, (runs.count + count - 1) / count)
        let parts = stride(from: 0, to: max(1, runs.count), by: share).map {
            Array(runs[$0..<min($0 + share, runs.count)])
        }
        let receipts = try store.receipts(space).map { try Receipt(encoded: $0.bytes) }
        var from = base
        volumes = []
        for (index, part) in parts.enumerated() {
            var to = from
            for run in part { to.raise(run.chain, to: run.lastSequence) }
            var frames = try part.map { try BundleFrames.changes(space, [$0]) }
            if index == parts.count - 1 { frames += BundleFrames.receipts(space, receipts).map(\.frame) }
            let content = frames.flatMap { $0 }
            var header = BundleHeader(
                bundle: Bytes16(high: UInt64(clock), low: 0), volume: UInt64(index + 1),
                volumes: UInt64(parts.count), space: space, exporter: identity.member,
                certificate: identity.node, recipients: [BundleRecipient(member: member, key: nil)],
                created: clock, from: from, to: to, counts: BundleCounts(),
                contentBytes: UInt64(content.count), contentHash: SHA256.hash(content))
            header.counts.changes = UInt64(part.reduce(0) { $0 + $1.changes.count })
            let signed = try withSeededSignatures(UInt64(clock)) {
                try SignedBundleHeader(header) { try identity.nodeKey.sign($0, as: .bundle) }
            }
            volumes.append(BundleFrames.magic + BundleFrames.frame(signed.encoded) + content)
            from = to
        }
    }

    /// What happens to it on the way: a volume is lost or cut short, they come in another order or twice, or a bit changes.
    mutating func suffer(_ random: inout SimulationRandom) {
        guard !volumes.isEmpty else { return }
        let place = random.number(0...volumes.count - 1)
        switch random.number(0...6) {
        case 0: volumes.remove(at: place)
        case 1: volumes.shuffle(using: &random)
        case 2: volumes.append(volumes[place])
        case 3:
            volumes[place].removeLast(random.number(1...volumes[place].count))
            isDamaged = true
        case 4:
            volumes[place][random.number(0...volumes[place].count - 1)] ^= UInt8(1 << random.number(0...7))
            isDamaged = true
        default: break
        }
    }

    /// Makes it one of a later version: its headers are of another level and have one part more, which their exporter
    /// signed.
    mutating func becomeLater(_ exporter: SimulatedIdentity) throws {
        guard !isDamaged, !volumes.isEmpty else { return }
        volumes = try volumes.map { bytes in
            let header = try VolumeReader(bytes).signed.header.encoded()
            // After the head of an array and a text of 14 bytes stands the level, which is one digit.
            let place = 1 + 1 + 14
            precondition(header[0] == 0x91 && header[place] == UInt8(BundleLimits.level))
            var later = header + [0x00]
            later[0] += 1
            later[place] += 1
            let signature = try withSeededSignatures(UInt64(later.count)) {
                try exporter.nodeKey.sign(SHA256.hash(later), as: .bundle)
            }
            let present = BundleFrames.frame(try VolumeReader(bytes).signed.encoded).count
            return BundleFrames.magic
                + BundleFrames.frame(SignedBundleHeader.encoded(later, signature))
                + bytes.dropFirst(BundleFrames.magic.count + present)
        }
        isLater = true
    }
}

extension ReplicaStore {
    /// All that is held of a space without what is known elsewhere, in runs that are small, so that there are several.
    func runs(of space: SpaceID, excluding known: VersionVector) throws -> [ChangeRun] {
        var (runs, position): ([ChangeRun], Int64) = ([], 0)
        while true {
            let slice = try slice(space, after: position, excluding: known, maximumBytes: 4 << 10)
            runs += slice.runs
            guard !slice.isLast, slice.position > position || !slice.runs.isEmpty else { return runs }
            position = slice.position
        }
    }
}

extension Simulation {
    // MARK: Leaving

    /// Somebody leaves a node with what it holds, and comes to another one, or several, some time.
    mutating func sendCourier(from node: Int) async throws {
        guard isAwake(node), nodes[node].hasSpace else { return }
        let target = choices.number(0...swarm.nodes - 1)
        let isEverything = choices.chance(50)
        guard let load = try await pack(at: node, for: target, isEverything: isEverything) else { return }
        // Drawn apart, so that what else is drawn for a courier stays as it is.
        var later = SimulationRandom(seed: scenario.seed &+ UInt64(now), label: "later bundles")
        for _ in 0..<choices.number(1...2) {
            var copy = load
            copy.suffer(&choices)
            if later.chance(15) { try copy.becomeLater(nodes[node].identity) }
            // Not always to whom it was for; soon, some time, or so late that all others are at peace again.
            let receiver = choices.chance(80) ? target : choices.number(0...swarm.nodes - 1)
            let soon = now + choices.duration(mean: choices.pick([500, 30_000]))
            let time = choices.chance(30) ? scenario.end + choices.duration(mean: 1_000) : soon
            log(node, "a courier leaves for \(nodes[receiver].name) with \(copy.volumes.count) volumes")
            queue.add(.deliver(copy, to: receiver), at: time)
        }
    }

    /// People carry bundles to and from a node that nothing else reaches, until it holds what the others do.
    mutating func exchangeWithLaptop() async throws {
        guard let laptop = swarm.laptop, now >= laptopVisitedAt + 20_000 else { return }
        laptopVisitedAt = now
        laptopVisits += 1
        // Where a bundle says that it builds on what is not there, people bring one with everything.
        let isEverything = laptopVisits % 4 == 0
        for (node, target) in [(laptop, 0), (0, laptop)] {
            guard isAwake(node), nodes[node].hasSpace,
                let load = try await pack(at: node, for: target, isEverything: isEverything)
            else { continue }
            log(node, "a courier leaves for \(nodes[target].name) with \(load.volumes.count) volumes")
            queue.add(.deliver(load, to: target), at: now + choices.duration(mean: 2_000))
        }
    }

    private mutating func pack(at node: Int, for target: Int, isEverything: Bool) async throws -> CourierLoad?
    {
        // A node says in each bundle what it holds.
        try await signReceipt(node)
        let (space, identity, clock) = (space, nodes[node].identity, nodes[node].clock(now))
        let recipient = nodes[target].identity
        let count = choices.number(1...4)
        return try await attempt(node) { store in
            let claims = try store.receipts(space).filter {
                $0.node == NodeID(certificate: recipient.node)
            }.map { try Receipt(encoded: $0.bytes).holds }
            let known = isEverything ? VersionVector() : claims.first ?? VersionVector()
            return try CourierLoad(
                of: store, space: space, by: identity, for: recipient.member,
                excluding: try store.common([known], in: space), volumes: count, clock: clock)
        }
    }

    // MARK: Arriving

    /// What somebody carried arrives at a node.
    mutating func deliver(_ load: CourierLoad, to node: Int) async throws {
        guard isAwake(node), nodes[node].hasSpace else {
            log(node, "a courier finds nobody")
            return
        }
        figures.couriers += 1
        for bytes in load.volumes {
            let volume: VolumeReader<[UInt8]>
            do {
                volume = try VolumeReader(bytes)
            } catch let error as ConcordError where load.isLater && error.code == .newerBundle {
                log(node, "a volume of a later version is refused: \(error.code.rawValue)")
                figures.laterBundles += 1
                continue
            } catch let error as ConcordError where load.isDamaged {
                log(node, "a volume is refused: \(error.code.rawValue)")
                figures.refusedVolumes += 1
                continue
            }
            guard !load.isLater else {
                throw Violation(
                    invariant: .laterBundles, detail: "\(nodes[node].name) reads a bundle of a later version")
            }
            guard volume.signed.header.isFor(nodes[node].identity.member, key: SHA256.hash([])) else {
                log(node, "a volume is for others")
                continue
            }
            guard try isVouchedFor(volume.signed.header, at: node) else {
                log(node, "a volume is refused: nobody here knows its exporter")
                continue
            }
            try await take(volume, at: node)
        }
    }

    /// Whether a node takes bundles of the exporter.
    private func isVouchedFor(_ header: BundleHeader, at node: Int) throws -> Bool {
        guard let store = nodes[node].store else { return false }
        let roster = try store.roster(space)
        guard let entry = roster.entry(header.exporter) else {
            return try store.space(space).inviter?.member == header.exporter
        }
        let exporter = NodeID(certificate: header.certificate)
        return entry.suspensions.isEmpty && !roster.isRevoked(exporter, of: header.exporter)
    }

    private mutating func take(_ volume: VolumeReader<[UInt8]>, at node: Int) async throws {
        // What came too early is looked at once more, as what it waits for may stand after it.
        for round in 0...1 {
            var frames = volume.frames
            while let content = try frames.next() {
                switch content {
                case .changes(let runs): try await take(runs, at: node)
                case .receipts(let receipts) where round == 0:
                    try await keep(receipts, in: volume.signed.header.space, at: node)
                default: break
                }
            }
        }
        try feedAdvances(node)
    }

    private mutating func take(_ runs: [ChangeRun], at node: Int) async throws {
        let space = space
        // A branch that is taken in ends a delivery: what follows it is looked at once more.
        for _ in 0...runs.count {
            guard let outcome = try await attempt(node, { try await $0.receive(runs, in: space) }) else {
                return
            }
            if outcome.applied > 0 { log(node, "a courier brings \(outcome.applied) new") }
            if let refusal = outcome.refusal {
                log(node, "refused: \(refusal.code.rawValue)")
                guard swarm.hasForks else {
                    throw Violation(
                        invariant: .noFaults,
                        detail: "\(nodes[node].name) refuses what is in order: \(refusal)")
                }
            }
            guard outcome.tookBranch else { return }
            try await tellFork(outcome.forked, at: node, except: nil)
        }
    }
}
