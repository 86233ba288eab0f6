// What the stores of a run are asked for: by sessions, and by people.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync

extension Simulation {
    // MARK: For sessions

    /// Does the next thing that a session asked for.
    mutating func work(_ id: Int, _ side: Int) async throws {
        guard let end = connections[id]?.ends[side], let task = end.tasks.first, !end.isOver,
            let store = nodes[end.node].store
        else { return }
        if nodes[end.node].pausedUntil > now {
            return queue.add(.work(connection: id, side: side), at: nodes[end.node].pausedUntil)
        }
        connections[id]?.ends[side].tasks.removeFirst()
        connections[id]?.ends[side].isWorking = false
        let answer = try await answer(task, store, end.node)
        guard let answer else { return try wake(id, side) }
        if case .applied(let space, let outcome) = answer, let replica = outcome.forked, outcome.tookBranch {
            figures.forks += 1
            for other in connections.keys.sorted() where other != id {
                guard let side = connections[other]?.side(of: end.node) else { continue }
                try feed(other, side, .forked(space, replica))
            }
            try await adopt(end.node)
        }
        try feedAdvances(end.node)
        try feed(id, side, answer)
        try endWithSuspended(end.node)
    }

    /// An honest node whose own replica was forked, since its files were put back or copied, brings its branches back
    /// into effect.
    private mutating func adopt(_ node: Int) async throws {
        let identity = nodes[node].identity
        guard nodes[node].original == nil, let store = nodes[node].store,
            try store.hasOwnBranches(in: space, of: NodeID(certificate: identity.node))
        else { return }
        do {
            let count = try await store.adoptOwnBranches(
                in: space, by: identity.signer, author: "the node", now: nodes[node].clock(now))
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

    private mutating func answer(
        _ task: SessionEffect, _ store: ReplicaStore, _ node: Int
    ) async throws -> SessionInput? {
        switch task {
        case .readHeld(let space):
            let (summary, digest) = try await store.heldForPeer(space)
            return .held(space, summary, digest: digest)
        case .readSlice(let space, let after, let known, let maximumBytes):
            let slice = try store.slice(space, after: after, excluding: known, maximumBytes: maximumBytes)
            return .slice(space, slice)
        case .compare(let space, let heads):
            return .compared(space, try await store.compare(heads, in: space))
        case .readReceipts(let space):
            return .receipts(space, try store.receipts(space).map { try Receipt(encoded: $0.bytes) })
        case .receipts(let space, let receipts):
            try await keep(receipts, in: space, at: node)
            return nil
        case .ownReplicaElsewhere(let space, let replica):
            try await store.retire(replica, in: space)
            log(node, "leave replica \(replica) behind")
            return nil
        case .apply(let space, let runs):
            if swarm.canary == .falseAcknowledgement, figures.changes > 5, !canaryFired {
                canaryFired = true
                let durable = VersionVector(runs.map { Dot($0.chain, $0.lastSequence) })
                return .applied(
                    space, ReceiveOutcome(durable: durable, applied: 0, heldBack: 0, refusal: nil))
            }
            let outcome = try await store.receive(runs, in: space)
            log(
                node,
                "receive: \(outcome.applied) new, \(outcome.heldBack) held back"
                    + (outcome.forked == nil ? "" : ", a fork"))
            return .applied(space, outcome)
        default: preconditionFailure("not a task of the store")
        }
    }

    /// Tells the sessions of a node what was committed.
    private mutating func feedAdvances(_ node: Int) throws {
        for (space, _) in nodes[node].takeAdvances() {
            guard let (held, position) = try nodes[node].store?.heldVector(space) else { continue }
            for id in connections.keys.sorted() {
                guard let side = connections[id]?.side(of: node) else { continue }
                try feed(id, side, .advanced(space, position: position, held: held))
            }
        }
    }

    /// Keeps receipts that are true, and passes the new ones on.
    private mutating func keep(_ receipts: [Receipt], in space: SpaceID, at node: Int) async throws {
        guard let store = nodes[node].store else { return }
        let roster = try store.roster(space)
        let clock = nodes[node].clock(now)
        let genuine = receipts.filter { receipt in
            guard let authorities = roster.entry(receipt.member)?.authorities else { return false }
            return (try? receipt.verify(authorities: authorities, now: clock)) != nil
        }
        let stored = genuine.map {
            StoredReceipt(node: $0.node, member: $0.member, timestamp: $0.timestamp, bytes: $0.encoded)
        }
        let newer = Set(try await store.keep(stored, in: space).map(\.node))
        let new = genuine.filter { newer.contains($0.node) }
        figures.receipts += new.count
        for id in connections.keys.sorted() where !new.isEmpty {
            guard let side = connections[id]?.side(of: node) else { continue }
            try feed(id, side, .receipts(space, new))
        }
    }

    /// A node signs what it holds.
    private mutating func signReceipt(_ node: Int) async throws {
        guard let store = nodes[node].store else { return }
        let identity = nodes[node].identity
        let receipt = try Receipt(
            space: space, member: identity.member, holds: try store.held(space).vector,
            timestamp: nodes[node].clock(now), certificate: identity.node, key: identity.nodeKey)
        try await keep([receipt], in: space, at: node)
    }

    // MARK: For people

    /// Somebody at some node writes something.
    mutating func write() async throws {
        stepsLeft -= 1
        if stepsLeft <= 0 { return try heal() }
        queue.add(.write, at: now + workload.duration(mean: swarm.meanWriteInterval))
        let node = workload.number(0...nodes.count - 1)
        guard nodes[node].pausedUntil <= now else { return }
        try await writeSomething(at: node)
    }

    /// Writes something that is drawn.
    mutating func writeSomething(at node: Int) async throws {
        guard let store = nodes[node].store, nodes[node].hasSpace else { return }
        var drawer = Workload(
            random: workload, weights: swarm.workWeights, code: nodes[node].identity.code, space: space)
        let drafts = try drawer.drafts(store)
        workload = drawer.random
        guard !drafts.isEmpty else { return }
        try await write(drafts, at: node)
        if workload.chance(5) { try await signReceipt(node) }
    }

    /// Writes drafts and remembers what the store says is durable.
    mutating func write(_ drafts: [Draft], at node: Int) async throws {
        guard let store = nodes[node].store else { return }
        let results = try await store.write(
            drafts, in: space, by: nodes[node].identity.signer, author: "people of \(nodes[node].name)",
            now: nodes[node].clock(now))
        for result in results {
            switch result {
            case .success(let change):
                nodes[node].written.append(.init(dot: change.dot, hash: change.hash))
                figures.changes += 1
                if swarm.canary == .lostCommits { try nodes[node].keepSnapshot() }
                log(node, "write \(change.dot.sequence) (\(change.created.count) records)")
            case .failure(let error):
                guard Workload.expectedRefusals.contains(error.code) else {
                    throw Violation(
                        invariant: .onlyKnownRefusals, detail: "\(nodes[node].name) refuses a write: \(error)"
                    )
                }
                figures.refusals += 1
                log(node, "refuse \(error.code.rawValue): \(error.message)")
            }
        }
        try feedAdvances(node)
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
        let act = try SignedAct(act: admission.encoded, key: nodes[signer].identity.authorityKey)
        log(signer, "endorse \(nodes[subject].name)")
        try await write([[.act(act)]], at: signer)
    }

    /// A node takes up its invitation, from the member at the other end of its first link.
    mutating func join(_ node: Int) async throws {
        guard let store = nodes[node].store, nodes[node].pausedUntil <= now else {
            return queue.add(.join(node: node), at: now + 500)
        }
        let neighbours = links.compactMap { link in
            link.nodes.1 == node ? link.nodes.0 : link.nodes.0 == node ? link.nodes.1 : nil
        }
        guard let inviter = neighbours.min() else { return }
        _ = try await store.addSpace(
            charter, inviterAuthority: nodes[inviter].identity.authority.der)
        nodes[node].hasSpace = true
        log(node, "join, invited by \(nodes[inviter].name)")
    }
}
