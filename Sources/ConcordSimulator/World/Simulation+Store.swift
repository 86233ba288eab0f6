// What the stores of a run are asked for: by sessions, and by people.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync

extension Simulation {
    // MARK: For sessions

    /// Does the next thing that a session asked for.
    mutating func work(_ id: Int, _ side: Int) async throws {
        guard let end = connections[id]?.ends[side], let task = end.tasks.first, !end.isOver else { return }
        if nodes[end.node].pausedUntil > now {
            return queue.add(.work(connection: id, side: side), at: nodes[end.node].pausedUntil)
        }
        connections[id]?.ends[side].tasks.removeFirst()
        connections[id]?.ends[side].isWorking = false
        let node = end.node
        let lies = swarm.canary == .falseAcknowledgement && figures.changes > 5 && !canaryFired
        let attempted = try await attempt(node) { try await Self.answer(task, $0, lies: lies) }
        guard let answer = attempted else {
            let failure = ConcordError(.storeFailure, "the disk failed")
            return try feed(id, side, .storeFailed(space, failure))
        }
        note(answer, node)
        try await keep(answer.receipts, in: space, at: node)
        guard let input = answer.input else { return try wake(id, side) }
        if case .applied(_, let outcome) = input, outcome.tookBranch {
            try await tellFork(outcome.forked, at: node, except: id)
        }
        try feedAdvances(node)
        try feed(id, side, input)
        try endWithExcluded(node)
    }

    /// Tells the sessions of a node of a branch that it took in, except the one that brought it.
    mutating func tellFork(_ replica: ReplicaID?, at node: Int, except id: Int?) async throws {
        guard let replica else { return }
        figures.forks += 1
        for other in connections.keys.sorted() where other != id {
            guard let side = connections[other]?.side(of: node) else { continue }
            try feed(other, side, .forked(space, replica))
        }
        try await adopt(node)
    }

    /// An honest node whose own replica was forked, since its files were put back or copied, brings its branches back
    /// into effect.
    private mutating func adopt(_ node: Int) async throws {
        let identity = nodes[node].identity
        guard nodes[node].original == nil, let store = nodes[node].store,
            try store.hasOwnBranches(in: space, of: NodeID(certificate: identity.node))
        else { return }
        let (space, clock) = (space, nodes[node].clock(now))
        do {
            let count = try await attempt(node) { store in
                try await store.adoptOwnBranches(
                    in: space, by: identity.signer, author: "the node", now: clock)
            }
            guard let count else { return }
            figures.adopted += Int(count)
            log(node, "\(count) changes of own branches count again")
        } catch let error as ConcordError where Workload.expectedRefusals.contains(error.code) {
            log(node, "own branches wait: \(error.code.rawValue)")
        }
    }

    /// Goes on with what the session asked for besides.
    private mutating func wake(_ id: Int, _ side: Int) throws {
        guard let end = connections[id]?.ends[side], !end.tasks.isEmpty, !end.isWorking else { return }
        connections[id]?.ends[side].isWorking = true
        queue.add(.work(connection: id, side: side), at: now)
    }

    /// What came of a task.
    private struct Answer {
        /// What the session is told, if anything.
        var input: SessionInput?
        /// Receipts that the session passed on.
        var receipts: [Receipt] = []
        /// What is worth a line.
        var remark: String?
        /// Whether the canary sang.
        var isFalse = false
    }

    private static func answer(
        _ task: SessionEffect, _ store: ReplicaStore, lies: Bool
    ) async throws -> Answer {
        switch task {
        case .readHeld(let space):
            let (summary, digest) = try await store.heldForPeer(space)
            return Answer(input: .held(space, summary, digest: digest))
        case .readSlice(let space, let after, let known, let maximumBytes):
            let slice = try store.slice(space, after: after, excluding: known, maximumBytes: maximumBytes)
            return Answer(input: .slice(space, slice))
        case .compare(let space, let heads):
            return Answer(input: .compared(space, try await store.compare(heads, in: space)))
        case .readReceipts(let space):
            let receipts = try store.receipts(space).map { try Receipt(encoded: $0.bytes) }
            return Answer(input: .receipts(space, receipts))
        case .receipts(_, let receipts): return Answer(receipts: receipts)
        case .ownReplicaElsewhere(let space, let replica):
            try await store.retire(replica, in: space)
            return Answer(remark: "leave replica \(replica) behind")
        case .apply(let space, let runs):
            if lies {
                let durable = VersionVector(runs.map { Dot($0.chain, $0.lastSequence) })
                let outcome = ReceiveOutcome(durable: durable, applied: 0, heldBack: 0, refusal: nil)
                return Answer(input: .applied(space, outcome), isFalse: true)
            }
            let outcome = try await store.receive(runs, in: space)
            return Answer(
                input: .applied(space, outcome),
                remark: "receive: \(outcome.applied) new, \(outcome.heldBack) held back"
                    + (outcome.forked == nil ? "" : ", a fork"))
        default: preconditionFailure("not a task of the store")
        }
    }

    private mutating func note(_ answer: Answer, _ node: Int) {
        canaryFired = canaryFired || answer.isFalse
        if let remark = answer.remark { log(node, remark) }
    }

    /// Tells the sessions of a node what was committed.
    mutating func feedAdvances(_ node: Int) throws {
        for (space, _) in nodes[node].takeAdvances() {
            guard let (held, position) = try nodes[node].store?.heldVector(space) else { continue }
            for id in connections.keys.sorted() {
                guard let side = connections[id]?.side(of: node) else { continue }
                try feed(id, side, .advanced(space, position: position, held: held))
            }
        }
    }

    /// Keeps receipts that are true, and passes the new ones on.
    mutating func keep(_ receipts: [Receipt], in space: SpaceID, at node: Int) async throws {
        guard !receipts.isEmpty, let store = nodes[node].store else { return }
        let roster = try store.roster(space)
        let clock = nodes[node].clock(now)
        let genuine = receipts.filter { receipt in
            guard let authorities = roster.entry(receipt.member)?.authorities else { return false }
            return (try? receipt.verify(authorities: authorities, now: clock)) != nil
        }
        let stored = genuine.map {
            StoredReceipt(node: $0.node, member: $0.member, timestamp: $0.timestamp, bytes: $0.encoded)
        }
        let kept = try await attempt(node) { store in
            let newer = try await store.keep(stored, in: space)
            return Set(newer.map(\.node))
        }
        guard let newer = kept else { return }
        let new = genuine.filter { newer.contains($0.node) }
        figures.receipts += new.count
        for id in connections.keys.sorted() where !new.isEmpty {
            guard let side = connections[id]?.side(of: node) else { continue }
            try feed(id, side, .receipts(space, new))
        }
    }

    /// A node signs what it holds.
    mutating func signReceipt(_ node: Int) async throws {
        guard let store = nodes[node].store else { return }
        let identity = nodes[node].identity
        let (holds, clock) = (try store.held(space).vector, nodes[node].clock(now))
        let receipt = try withSeededSignatures(UInt64(bitPattern: now)) {
            try Receipt(
                space: space, member: identity.member, holds: holds, timestamp: clock,
                certificate: identity.node, key: identity.nodeKey)
        }
        try await keep([receipt], in: space, at: node)
    }

    // MARK: For people

    /// Writes something that is drawn.
    mutating func writeSomething(at node: Int) async throws {
        guard nodes[node].hasSpace else { return }
        var drawer = workload(of: node)
        let works = try await attempt(node) { store in try drawer.works(store) }
        guard let works, !works.isEmpty else { return }
        try await write(works, at: node)
        if choices.chance(5) { try await signReceipt(node) }
    }

    private mutating func workload(of node: Int) -> Workload {
        Workload(
            random: SimulationRandom(seed: choices.next()), weights: swarm.workWeights,
            identity: nodes[node].identity, space: space, clock: nodes[node].clock(now))
    }

    /// Several people write in the same text at the same moment.
    mutating func debate() async throws {
        let debate = choices.next()
        for node in 0..<swarm.nodes where isAwake(node) && nodes[node].hasSpace && choices.chance(70) {
            var drawer = workload(of: node)
            let works = try await attempt(node) { store in try drawer.debate(store, subject: debate) }
            if let works, !works.isEmpty { try await write(works, at: node) }
        }
    }

    /// Writes works and remembers what the store says is durable.
    mutating func write(_ works: [PlannedWork], at node: Int) async throws {
        guard let store = nodes[node].store else { return }
        let identity = nodes[node].identity
        let (space, clock, name) = (space, nodes[node].clock(now), nodes[node].name)
        let seen = try store.held(space).vector
        let results = try await attempt(node) { store in
            try await store.write(
                works.map(\.draft), in: space, by: identity.signer, author: "people of \(name)", now: clock)
        }
        guard let results else {
            for work in works { ledger.doubt(work) }
            return
        }
        for (work, result) in zip(works, results) {
            switch result {
            case .success(let change):
                nodes[node].written.append(.init(dot: change.dot, hash: change.hash))
                figures.changes += 1
                if nodes[node].original == nil, node != swarm.hostile {
                    ledger.note(work, change, seen: seen)
                }
                if swarm.canary == .lostCommits { nodes[node].keepSnapshot() }
                log(node, "write \(change.dot.sequence) (\(work.name), \(change.created.count) records)")
            case .failure(let error) where nodes[node].isTroubled && Self.isOfTrouble(error):
                figures.storeFailures += 1
                ledger.doubt(work)
                log(node, "cannot write: \(error.code.rawValue)")
            case .failure(let error):
                guard Workload.expectedRefusals.contains(error.code) else {
                    throw Violation(
                        invariant: .onlyKnownRefusals,
                        detail: "\(nodes[node].name) refuses a write (\(work.name)): \(error)")
                }
                figures.refusals += 1
                log(node, "refuse \(error.code.rawValue): \(error.message)")
            }
        }
        try feedAdvances(node)
        sing(node)
    }

    // MARK: Membership

    /// A founder signs the admission of another member.
    mutating func endorse(_ signer: Int, _ subject: Int) async throws {
        guard nodes[signer].store != nil, nodes[signer].pausedUntil <= now else {
            return queue.add(.endorse(signer: signer, subject: subject), at: now + 500)
        }
        let admission = Admission(
            space: space, subject: try MemberStatement(authority: nodes[subject].identity.authority),
            role: .member, predecessor: nil, timestamp: 1_500_000_000_000)
        let act = try signed(admission.encoded, by: signer)
        log(signer, "endorse \(nodes[subject].name)")
        try await write([PlannedWork(draft: [.act(act)])], at: signer)
    }

    /// A node takes up its invitation, from the member at the other end of its first link.
    mutating func join(_ node: Int) async throws {
        guard isAwake(node) else {
            return queue.add(.join(node: node), at: now + 500)
        }
        let neighbours = links.compactMap { link in
            link.nodes.1 == node ? link.nodes.0 : link.nodes.0 == node ? link.nodes.1 : nil
        }
        // Nobody is beside a laptop.
        let inviter = neighbours.min() ?? 0
        let (charter, authority) = (charter, nodes[inviter].identity.authority.der)
        let joined: Void? = try await attempt(node) { store in
            // It may have come as far as that before the power failed.
            if (try? store.held(charter.charter.space)) != nil { return }
            _ = try await store.addSpace(charter, inviterAuthority: authority)
        }
        guard joined != nil else { return queue.add(.join(node: node), at: now + 500) }
        nodes[node].hasSpace = true
        log(node, "join, invited by \(nodes[inviter].name)")
    }
}
