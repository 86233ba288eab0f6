// What the scenario says is done here: each decision draws its details from its own seed.

import ConcordModel

extension Simulation {
    mutating func decide(_ decision: Decision) async throws {
        guard healedAt == nil else { return }
        choices = SimulationRandom(seed: decision.draw)
        figures.decisions[decision.kind, default: 0] += 1
        let node = min(decision.node, swarm.nodes - 1)
        switch decision.kind {
        case .write, .debate, .procedure, .renewal, .revocation, .courier, .copy, .mischief, .laterWrite:
            try await act(decision.kind, node)
        case .disconnect, .reset, .partition, .isolation, .stall, .refusal, .outage, .firewall:
            strikeNetwork(decision, node)
        case .kill:
            try die(node, swarm.canary == .lostCommits && nodes[node].canLoseCommits ? .forget : .kill)
        case .powerCut: try die(node, .power)
        case .midwayCut:
            guard nodes[node].store != nil else { return }
            let operations = choices.number(1...choices.pick([3, 12, 60]))
            log(node, "the power will fail in write or sync \(operations)")
            nodes[node].disk.failPower(after: operations)
        case .restore: try restore(node)
        case .pause:
            let time = choices.duration(mean: choices.pick([500, 5_000, 60_000]))
            nodes[node].pausedUntil = now + time
            log(node, "pause for \(time) ms")
        case .clock:
            nodes[node].clockOffset = Int64(choices.number(-Int(swarm.clockSkew)...Int(swarm.clockSkew)))
            log(node, "clock off by \(nodes[node].clockOffset) ms")
        case .diskFull, .diskErrors: trouble(decision.kind, node)
        case .upgrade: try changeVersion(node)
        }
    }

    /// What people do.
    private mutating func act(_ kind: Decision.Kind, _ node: Int) async throws {
        switch kind {
        case .write: if isAwake(node) { try await writeSomething(at: node) }
        case .debate: try await debate()
        case .procedure: try await draftProcedure()
        case .renewal: renew(node)
        case .revocation: try await revoke(node)
        case .courier: try await sendCourier(from: node)
        case .copy: try copy()
        case .mischief: try await doMischief()
        case .laterWrite: try await writeLater(node)
        default: preconditionFailure("not done by people")
        }
    }

    func isAwake(_ node: Int) -> Bool { nodes[node].store != nil && nodes[node].pausedUntil <= now }

    // MARK: The network

    private mutating func strikeNetwork(_ decision: Decision, _ node: Int) {
        let time = choices.duration(mean: choices.pick([2_000, 10_000, 120_000]))
        switch decision.kind {
        case .disconnect, .reset:
            let standing = links.indices.compactMap { links[$0].connection }
            guard !standing.isEmpty else { return }
            let id = choices.pick(standing)
            log(nil, "\(decision.kind.rawValue) \(id)")
            cut(id, isSilent: decision.kind == .reset)
        case .partition:
            let group = nodes.indices.filter { _ in choices.chance(50) }
            block(around: group, for: time)
        case .isolation: block(around: [node], for: time)
        case .stall, .refusal, .firewall:
            guard !links.isEmpty else { return }
            let link = choices.number(0...links.count - 1)
            guard decision.kind == .refusal else {
                let side = choices.number(0...1)
                if decision.kind == .firewall {
                    links[link].firewall = (side, choices.chance(50) ? .max : now + time)
                    return log(nil, "side \(side) of link \(link) cannot dial any more")
                }
                links[link].stalledUntil[side] = now + time
                return log(nil, "nothing arrives from side \(side) of link \(link) for \(time) ms")
            }
            links[link].refusedUntil = now + time
            log(nil, "link \(link) is refused for \(time) ms")
        case .outage: block(around: nil, for: decision.outage)
        default: preconditionFailure("not of the network")
        }
    }

    /// Some nodes cannot reach the others for a while; nil: nobody reaches anybody.
    private mutating func block(around group: [Int]?, for time: Int64) {
        let names = group.map { $0.map { nodes[$0].name }.joined(separator: " ") } ?? "everybody"
        log(nil, "partition for \(time) ms around \(names)")
        for index in links.indices {
            let (first, second) = links[index].nodes
            if let group, group.contains(first) == group.contains(second) { continue }
            links[index].blockedUntil = max(links[index].blockedUntil, now + time)
            if let id = links[index].connection { cut(id) }
        }
    }
}
