// Who is connected with whom in the push simulation: the real choice of peers, and what breaks connections.

import ConcordCrypto
import ConcordModel
import ConcordSync

extension PushNetwork {
    /// A node that lost somebody sought by itself is met by a stranger; one of the last minutes is not a stranger.
    private static let strangeAfter: Int64 = 600_000

    private func choice(_ node: Int) -> ActivePeers<Int> {
        let known = nodes[node]
        var candidates = known.known.filter {
            !known.dialling.contains($0.key) || known.connections[$0.key] != nil
        }
        for other in known.connections.keys where candidates[other] == nil { candidates[other] = .init() }
        return ActivePeers(
            ownBytes: known.replica.replica.bytes, nodeCount: nodes.count,
            candidates: candidates.map { other, acquaintance in
                .init(
                    key: other, bytes: nodes[other].replica.replica.bytes,
                    isConnected: known.connections[other] != nil,
                    isAvoided: acquaintance.avoidedUntil > now)
            })
    }

    /// Has a node look for peers at some time, once.
    mutating func askForRedial(_ node: Int, at time: Int64) {
        guard time < nodes[node].redialAt else { return }
        nodes[node].redialAt = time
        queue.add(.redial(node: node), at: time)
    }

    mutating func redial(_ node: Int) {
        guard nodes[node].isUp else { return }
        let choice = choice(node)
        for other in choice.toDrop { end(node, other) }
        let wanted = choice.toDial(underWay: nodes[node].dialling.count)
        for other in wanted {
            nodes[node].dialling.insert(other)
            // TCP and TLS take two round trips.
            queue.add(.knock(from: node, to: other), at: now + 4 * latency(node, other))
        }
        if !wanted.isEmpty { askForRedial(node, at: now + 5_000) }
    }

    /// An attempt to connect arrives.
    mutating func knock(_ from: Int, _ to: Int) {
        nodes[from].dialling.remove(to)
        guard nodes[from].isUp, nodes[from].connections[to] == nil else { return }
        // Others may have taken the place meanwhile.
        guard choice(from).admission(isByHand: false, isStranger: false) == .accepted else { return }
        guard nodes[to].isUp else {
            nodes[from].known[to]?.avoidedUntil = now + 30_000
            return askForRedial(from, at: now + 500)
        }
        if let stale = nodes[to].connections[from] {
            // The other side has not noticed yet that its connection is dead.
            end(to, from)
            connections[stale]?.isCut = true
        }
        let last = nodes[to].known[from]?.lastSessionAt ?? .min
        let isStranger = last == .min || last + Self.strangeAfter < now
        switch choice(to).admission(isByHand: false, isStranger: isStranger) {
        case .accepted: break
        case .acceptedInPlaceOf(let other): end(to, other)
        case .full:
            nodes[from].known[to]?.avoidedUntil = now + 60_000
            return askForRedial(from, at: now + 100)
        }
        connect(from, to)
    }

    private mutating func connect(_ from: Int, _ to: Int) {
        let id = nextConnection
        nextConnection += 1
        connections[id] = Connection(latency: latency(from, to), ends: [makeEnd(from), makeEnd(to)])
        for (node, other) in [(from, to), (to, from)] {
            nodes[node].connections[other] = id
            nodes[node].known[other, default: .init()].lastSessionAt = now
            figures.peers(nodes[node].connections.count)
        }
        for side in 0...1 { feed(id, side, .started(clock: now)) }
    }

    private mutating func makeEnd(_ node: Int) -> PushEnd {
        nodes[node].incarnations += 1
        let incarnation = Bytes16(high: UInt64(node), low: nodes[node].incarnations)
        return PushEnd(
            node: node,
            session: Session(
                local: LocalDescription(nodeName: "n", incarnation: incarnation, spaces: [head(of: node)])))
    }

    /// Ends a node's session with another one in good order.
    private mutating func end(_ node: Int, _ other: Int) {
        guard let id = nodes[node].connections[other], let connection = connections[id] else { return }
        feed(id, connection.ends[0].node == node ? 0 : 1, .stop(.peersFull, "another peer takes the place"))
    }

    private func latency(_ one: Int, _ other: Int) -> Int64 {
        let (a, b) = (nodes[one].place, nodes[other].place)
        let distance = ((a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y)).squareRoot()
        return 3 + Int64(90 * distance)
    }

    // MARK: Faults

    /// Breaks a connection; the two notice after some seconds at most.
    mutating func cutSomething() {
        guard let id = connections.keys.sorted().randomElement(using: &faults) else { return }
        cut(id)
    }

    private mutating func cut(_ id: Int) {
        guard let connection = connections[id], !connection.isCut else { return }
        connection.isCut = true
        figures.cuts += 1
        for side in 0...1 where !connection.ends[side].isOver {
            queue.add(.gone(connection: id, side: side), at: now + faults.duration(mean: 1_000))
        }
    }

    /// Kills a node for some seconds. What it holds is durable; its sessions are gone.
    mutating func failSomething() {
        guard let node = nodes.indices.filter({ nodes[$0].isUp }).randomElement(using: &faults) else {
            return
        }
        figures.failures += 1
        nodes[node].isUp = false
        for id in nodes[node].connections.values.sorted() {
            guard let connection = connections[id] else { continue }
            let side = connection.ends[0].node == node ? 0 : 1
            connection.isCut = true
            connection.ends[side].isOver = true
            if connection.ends[1 - side].isOver { connections[id] = nil }
            queue.add(.gone(connection: id, side: 1 - side), at: now + faults.duration(mean: 2_000))
        }
        nodes[node].connections = [:]
        nodes[node].dialling = []
        nodes[node].intake = NodeIntake()
        queue.add(.rise(node: node), at: now + faults.duration(mean: 10_000))
    }
}
