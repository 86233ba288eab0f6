// A member's node that means ill: its key is good and its sessions begin as all others do, but now and then it sends what
// no honest node sends. The others may end their sessions with it, and hold its forks against it; among themselves they
// must stay safe and come to hold the same.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync

/// What it can do.
private enum Mischief: CaseIterable {
    case noise, falseAcknowledgement, falseReceipt, alteredRun, replay, dangling, inertEdit, equivocation
    case backdated, flood, falseAnnouncement, wantsAll, hugeFrame
}

extension Simulation {
    /// The hostile node does one of these things, on one of its connections.
    mutating func doMischief() async throws {
        guard let hostile = swarm.hostile, isAwake(hostile), nodes[hostile].hasSpace,
            let store = nodes[hostile].store
        else { return }
        let own = connections.keys.sorted().compactMap { id in
            connections[id].flatMap { connection in
                connection.side(of: hostile).flatMap { side in
                    connection.ends[side].progress != nil && !connection.ends[side].isOver ? (id, side) : nil
                }
            }
        }
        guard !own.isEmpty, try store.roster(space).role(nodes[hostile].identity.member) == .member else {
            return
        }
        let (id, side) = choices.pick(own)
        let mischief = choices.pick(Mischief.allCases)
        figures.mischief += 1
        log(hostile, "mischief: \(mischief)")
        if mischief == .flood {
            let weights = Work.allCases.map { $0 == .many ? 1 : 0 }
            var drawer = Workload(
                random: SimulationRandom(seed: choices.next()), weights: weights,
                identity: nodes[hostile].identity, space: space, clock: 0)
            let works = try await attempt(hostile) { store in
                try (0..<5).flatMap { _ in try drawer.works(store) }
            }
            return try await write(works ?? [], at: hostile)
        }
        let present = self
        let frames = try await attempt(hostile) { store in
            try present.frames(of: mischief, store, hostile)
        }
        guard let frames, !frames.messages.isEmpty else { return }
        forged = frames.chain ?? forged
        for (number, message) in frames.messages.enumerated() {
            // Of two contradictory changes each goes to another peer, if there is one.
            let way = number == 0 ? (id, side) : choices.pick(own)
            inject(message, way.0, way.1)
        }
    }

    /// What is sent, frame by frame, and the chain that is written for it.
    private func frames(
        of mischief: Mischief, _ store: ReplicaStore, _ hostile: Int
    ) throws -> (messages: [[UInt8]], chain: ForgedChain?) {
        var random = choices
        let held = try store.held(space)
        var claims = VersionVector()
        for dot in held.vector.dots {
            claims.raise(dot.replica, to: dot.sequence + UInt64(random.number(0...9)))
        }
        switch mischief {
        case .noise: return ([random.bytes(random.number(1...600))], nil)
        case .hugeFrame: return ([[UInt8](repeating: 0x81, count: SyncLimits.frameBytes)], nil)
        case .falseAcknowledgement: return ([Message.acknowledge(space, claims).encoded()], nil)
        case .falseAnnouncement: return ([Message.announce(space, claims).encoded()], nil)
        case .wantsAll:
            let spans = claims.dots.prefix(20).map {
                ChainSpan(chain: $0.replica, from: 0, upTo: max(1, $0.sequence))
            }
            return ([Message.want(space, spans).encoded()], nil)
        case .falseReceipt:
            let identity = nodes[hostile].identity
            let receipt = try withSeededSignatures(random.next()) {
                try Receipt(
                    space: space, member: identity.member, holds: claims,
                    timestamp: nodes[hostile].clock(now),
                    certificate: identity.node, key: identity.nodeKey)
            }
            return ([Message.receipts(space, [receipt]).encoded()], nil)
        case .alteredRun, .replay:
            var runs = Array(try store.runs(of: space, excluding: VersionVector()).prefix(30))
            if mischief == .alteredRun, !runs.isEmpty {
                let place = random.number(0...runs.count - 1)
                runs[place] = Self.altered(runs[place], &random)
            }
            return (runs.isEmpty ? [] : [Message.changes(space, runs).encoded()], nil)
        case .dangling, .inertEdit, .equivocation, .backdated:
            return try forge(mischief, store, hostile, &random)
        case .flood: return ([], nil)
        }
    }

    /// A run of which a bit of one change is another.
    private static func altered(_ run: ChangeRun, _ random: inout SimulationRandom) -> ChangeRun {
        var changes = run.changes
        let place = random.number(0...changes.count - 1)
        guard !changes[place].isEmpty else { return run }
        changes[place][random.number(0...changes[place].count - 1)] ^= UInt8(1 << random.number(0...7))
        return ChangeRun(
            replica: run.replica, chain: run.chain, firstSequence: run.firstSequence, previous: run.previous,
            changes: changes, signature: run.signature)
    }

    private func forge(
        _ mischief: Mischief, _ store: ReplicaStore, _ hostile: Int, _ random: inout SimulationRandom
    ) throws -> (messages: [[UInt8]], chain: ForgedChain?) {
        var chain =
            forged
            ?? ForgedChain(nodes[hostile].identity, space, nonce: Bytes16(high: 7, low: scenario.seed))
        var runs: [[ChangeRun]] = [[]]
        if !chain.isBegun { runs[0].append(try chain.bind()) }
        switch mischief {
        case .dangling: runs[0].append(try chain.dangling(&random))
        case .inertEdit:
            let documents = try store.records(RecordQuery(space: space, kind: "document"))
            guard let id = documents.first.flatMap({ RecordID(text: $0.id) }),
                let last = nodes[hostile].written.last
            else { break }
            runs[0].append(try chain.inertEdit(id, after: last))
        case .equivocation:
            runs[0].append(try chain.contact(random.next() % 100, at: 5))
            chain.goBack()
            runs.append([try chain.contact(random.next() % 100, at: 6)])
        default: runs[0].append(try chain.contact(random.next() % 100, at: 1))
        }
        let messages = runs.filter { !$0.isEmpty }.map { Message.changes(space, $0).encoded() }
        return (messages, chain)
    }
}
