// The network of a run: dialling, frames that take their time, connections that break, and the limits that
// sessions must keep.

import ConcordModel
import ConcordStore
import ConcordSync

extension Simulation {
    /// What must be noticed where a replica is written in two places.
    private static let alarmsOfForks: [ErrorCode] = [.equivocation, .ourReplicaElsewhere]

    // MARK: Connecting

    /// Two nodes connect, if both are up, reach each other and know each other's member.
    mutating func dial(_ link: Int) throws {
        guard links[link].connection == nil else { return }
        let (first, second) = links[link].nodes
        let isUp = [first, second].allSatisfy {
            nodes[$0].store != nil && nodes[$0].pausedUntil <= now && nodes[$0].hasSpace
        }
        let closedUntil = max(links[link].blockedUntil, links[link].refusedUntil)
        guard closedUntil <= now else {
            queue.add(.dial(link: link), at: closedUntil + network.duration(mean: 1_000))
            return
        }
        guard isUp else { return redial(link, mean: 1_000) }
        guard let dialler = dialler(link) else { return redial(link, mean: 2_000) }
        guard try accepts(first, second), try accepts(second, first) else {
            log(first, "refused: \(nodes[first].name) and \(nodes[second].name) do not know each other yet")
            links[link].refusals += 1
            return redial(link, mean: 2_000)
        }
        // A new connection takes the place of one that the other side believes to stand.
        for id in connections.keys.sorted() where connections[id]?.link == link {
            for side in 0...1 { try notice(id, side) }
        }
        let id = nextConnection
        nextConnection += 1
        let (own, peer) = dialler == second ? (second, first) : (first, second)
        connections[id] = SimulatedConnection(link: link, ends: [try makeEnd(own), try makeEnd(peer)])
        links[link].connection = id
        links[link].refusals = 0
        figures.connections += 1
        log(own, "connect \(id) with \(nodes[peer].name)")
        for side in 0...1 {
            try feed(id, side, .started(clock: nodes[side == 0 ? own : peer].clock(now)))
        }
    }

    /// Which node of a link dials: the first, unless a firewall is between the two; then whichever tries, and nil if that
    /// is the one that the firewall refuses.
    private mutating func dialler(_ link: Int) -> Int? {
        let (first, second) = links[link].nodes
        guard let firewall = links[link].firewall, firewall.until > now else { return first }
        let side = network.number(0...1)
        let dialler = side == 0 ? first : second
        guard side == firewall.refused else { return dialler }
        figures.refusedDials += 1
        log(dialler, "a firewall is in the way")
        return nil
    }

    /// Dials again after a while: soon once the faults have ended, more seldom where the two do not know each other.
    mutating func redial(_ link: Int, mean: Int64) {
        let mean = healedAt == nil ? mean : 200 << min(links[link].refusals, 6)
        queue.add(.dial(link: link), at: now + network.duration(mean: mean))
    }

    func accepts(_ node: Int, _ peer: Int) throws -> Bool {
        guard let store = nodes[node].store, !excludes(node, peer), nodes[peer].certificateEndedUntil <= now
        else { return false }
        let member = nodes[peer].identity.member
        let roster = try store.roster(space)
        return try roster.role(member) != nil || store.space(space).inviter?.member == member
    }

    private mutating func makeEnd(_ node: Int) throws -> ConnectionEnd {
        let own = try nodes[node].store?.ownHead(space)
        let head = SpaceHead(
            space: space, replica: own?.replica, head: own.map { .init(sequence: $0.sequence, hash: $0.hash) }
        )
        let (configuration, vocabularyLevel) = nodes[node].release
        let local = LocalDescription(
            nodeName: UTF8Text(nodes[node].name),
            incarnation: Bytes16(high: network.next(), low: network.next()),
            vocabularyLevel: vocabularyLevel, spaces: [head])
        return ConnectionEnd(node: node, session: Session(configuration: configuration, local: local))
    }

    // MARK: Sessions

    /// Whether the event has to wait because the node does nothing at present; then it is put off.
    private mutating func isPutOff(_ event: Event, _ id: Int, _ side: Int) -> Bool {
        guard let end = connections[id]?.ends[side], nodes[end.node].pausedUntil > now else { return false }
        queue.add(event, at: nodes[end.node].pausedUntil)
        return true
    }

    /// Hands an input to the session of one side and carries out what it asks for.
    mutating func feed(_ id: Int, _ side: Int, _ input: SessionInput) throws {
        guard let end = connections[id]?.ends[side], !end.isOver else { return }
        let effects = connections[id]?.ends[side].session.handle(input, now: now) ?? []
        var instructions: [NodeIntake.Instruction] = []
        for effect in effects {
            try carryOut(effect, id, side)
            instructions += nodes[end.node].intake.handle(effect, of: Self.number(id, side), now: now)
        }
        try carryOut(instructions, at: end.node)
        guard let after = connections[id]?.ends[side], !after.isOver else { return }
        if let deadline = after.session.deadline, deadline < after.tickAt {
            connections[id]?.ends[side].tickAt = deadline
            queue.add(.tick(connection: id, side: side), at: deadline)
        }
        if !after.tasks.isEmpty, !after.isWorking {
            connections[id]?.ends[side].isWorking = true
            queue.add(
                .work(connection: id, side: side),
                at: now + Int64(network.number(0...nodes[end.node].diskLatency)))
        }
        let isWritable = after.queuedBytes <= SimulatedConnection.highWater
        if isWritable != after.isWritable {
            connections[id]?.ends[side].isWritable = isWritable
            try feed(id, side, .writable(isWritable))
        }
    }

    private mutating func carryOut(_ effect: SessionEffect, _ id: Int, _ side: Int) throws {
        guard let node = connections[id]?.ends[side].node else { return }
        switch effect {
        case .send(let frame): try send(frame, id, side)
        case .readHeld, .readSlice, .apply, .compare, .readReceipts:
            connections[id]?.ends[side].tasks.append(effect)
        case .receipts, .ownReplicaElsewhere: connections[id]?.ends[side].tasks.append(effect)
        case .progress(_, let progress): connections[id]?.ends[side].progress = progress
        // No files are attached in a simulation, and so none are asked for.
        case .peerHello, .intake, .blob: break
        case .roundTrip: connections[id]?.ends[side].roundTrips += 1
        case .alarm(_, let error)
        where swarm.hasForks && Self.alarmsOfForks.contains(error.code) || isOfHostile(id):
            log(node, "alarm \(error.code.rawValue): \(error.message)")
            figures.alarms += 1
        case .alarm(_, let error):
            throw Violation(invariant: .noFaults, detail: "\(nodes[node].name) raises an alarm: \(error)")
        case .end(let end): try finish(end, id, side)
        }
    }

    private mutating func finish(_ end: SessionEnd, _ id: Int, _ side: Int) throws {
        guard let node = connections[id]?.ends[side].node else { return }
        log(node, "end \(id): \(end.code ?? "-") \(end.sentence)")
        guard isExpected(end, id) else {
            throw Violation(
                invariant: .noFaults,
                detail: "\(nodes[node].name) ended a session: \(end.sentence); \(differences(id))")
        }
        close(id, side)
    }

    /// What the two nodes of a connection hold and the other does not, for people.
    func differences(_ id: Int) -> String {
        guard let ends = connections[id]?.ends else { return "" }
        let held = ends.map { (try? nodes[$0.node].store?.held(space).vector) ?? VersionVector() }
        return (0...1).map { side in
            let more = held[side].elements.filter { $0.sequence > held[1 - side][$0.replica] }
            let list = more.map { "\($0.replica):\(held[1 - side][$0.replica])<\($0.sequence)" }
            return "\(nodes[ends[side].node].name) alone holds \(list.joined(separator: " "))"
        }.joined(separator: "; ")
    }

    /// Whether a connection is one of the node that means ill.
    private func isOfHostile(_ id: Int) -> Bool {
        guard let hostile = swarm.hostile else { return false }
        return connections[id]?.side(of: hostile) != nil
    }

    /// Whether a session may end like this for what happens in this run.
    private func isExpected(_ end: SessionEnd, _ id: Int) -> Bool {
        if isOfHostile(id) { return true }
        var expected: [ErrorCode] = [.peerSilent, .connectionFailed]
        // A node that is told of a change of its own replica that it lacks does not believe it within a session: the two
        // find that they differ, and the next session begins with what each holds.
        if swarm.hasForks { expected += [.equivocation, .missingDependency] }
        if swarm.hasExclusion { expected += [.peerSuspended, .ourMemberSuspended] }
        if swarm.hasDiskTrouble, let code = end.code.flatMap(ErrorCode.init), Self.isOfTrouble(code) {
            return true
        }
        return expected.contains { $0.rawValue == end.code }
    }

    /// One side is done; the other one reads the end of the stream after what was sent.
    private mutating func close(_ id: Int, _ side: Int) {
        guard let connection = connections[id] else { return }
        connections[id]?.ends[side].isOver = true
        connections[id]?.ends[side].tasks = []
        if !connection.isCut, !connection.ends[1 - side].isOver { transmit(nil, id, side) }
        if links[connection.link].connection == id {
            links[connection.link].connection = nil
            redial(connection.link, mean: 1_000)
        }
        if connection.ends[1 - side].isOver { connections[id] = nil }
    }

    // MARK: Frames

    private mutating func send(_ frame: [UInt8], _ id: Int, _ side: Int) throws {
        guard let end = connections[id]?.ends[side] else { return }
        let node = nodes[end.node]
        switch try? Message(encoded: frame) {
        case .acknowledge(let space, let vector)?:
            // Where there are branches, these are names that the peer has for chains.
            guard try !judges(.acknowledgements) || node.store?.held(space).vector.covers(vector) ?? false
            else {
                throw Violation(
                    invariant: .acknowledgedIsDurable,
                    detail: "\(node.name) acknowledges what it does not hold")
            }
        case .changes(_, let runs)?:
            let last = VersionVector(runs.map { Dot($0.chain, $0.lastSequence) })
            connections[id]?.ends[side].unacknowledged.append((last, frame.count))
            log(
                end.node,
                "send \(id): \(runs.reduce(0) { $0 + $1.changes.count }) changes, \(frame.count) bytes")
        case nil:
            throw Violation(invariant: .noFaults, detail: "\(node.name) sends what cannot be read")
        default: break
        }
        figures.bytes += frame.count
        if healedAt != nil { traffic.sent += frame.count }
        transmit(frame, id, side)
        if swarm.canary == .storm, healedAt != nil {
            canaryFired = true
            traffic.sent += 99 * frame.count
        }
        guard let after = connections[id]?.ends[side] else { return }
        guard end.node != swarm.hostile else { return }
        guard after.unacknowledgedBytes <= SyncLimits.windowBytes,
            after.queuedBytes <= SimulatedConnection.highWater + 2 * SyncLimits.largestFrameBytes + (64 << 10)
        else {
            throw Violation(
                invariant: .boundedQueues,
                detail: "\(node.name) has \(after.queuedBytes) bytes queued, \(after.unacknowledgedBytes) "
                    + "unacknowledged")
        }
    }

    /// Puts a frame that no session made on the line.
    mutating func inject(_ frame: [UInt8], _ id: Int, _ side: Int) { transmit(frame, id, side) }

    /// A frame as it arrives: as it was sent, unless that is what this run breaks.
    private mutating func arrived(_ frame: [UInt8]) -> [UInt8] {
        guard swarm.canary == .alteredFrame, !canaryFired, figures.frames > 20,
            case .changes? = try? Message(encoded: frame)
        else { return frame }
        canaryFired = true
        var frame = frame
        frame[frame.count / 2] ^= 0x10
        return frame
    }

    /// Puts a frame, or the end of the stream, on the line.
    private mutating func transmit(_ frame: [UInt8]?, _ id: Int, _ side: Int) {
        guard let connection = connections[id] else { return }
        let end = connection.ends[side]
        let count = frame?.count ?? 0
        let leavesAt = max(now, end.lineFreeAt) + Int64(count) / swarm.bandwidth
        connections[id]?.ends[side].lineFreeAt = leavesAt
        if count > 0 {
            connections[id]?.ends[side].leaving.append((leavesAt, count))
            queue.add(.leave(connection: id, side: side), at: leavesAt)
        }
        guard !connection.isCut else { return }
        var way = swarm.latency + Int64(network.number(0...Int(swarm.jitter)))
        // What is lost is sent again after a while, and holds up what comes behind it.
        while network.chance(swarm.lossPercent) {
            way += max(200, 2 * swarm.latency)
            figures.lost += 1
        }
        let place = links[connection.link].nodes.0 == end.node ? 0 : 1
        let earliest = max(leavesAt, links[connection.link].stalledUntil[place])
        let arrival = max(end.lastArrival, earliest + way)
        connections[id]?.ends[side].lastArrival = arrival
        connections[id]?.ends[side].outbox.append((arrival, frame))
        queue.add(.arrive(connection: id, side: 1 - side), at: arrival)
    }

    mutating func leave(_ id: Int, _ side: Int) throws {
        guard let end = connections[id]?.ends[side], !end.leaving.isEmpty else { return }
        connections[id]?.ends[side].leaving.removeFirst()
        guard !end.isOver, !end.isWritable else { return }
        let isWritable = end.queuedBytes - end.leaving[0].count <= SimulatedConnection.highWater
        guard isWritable else { return }
        connections[id]?.ends[side].isWritable = true
        try feed(id, side, .writable(true))
    }

    /// The next frame that the other side sent reaches this side.
    mutating func arrive(_ id: Int, _ side: Int) throws {
        guard let sender = connections[id]?.ends[1 - side], let first = sender.outbox.first else { return }
        if isPutOff(.arrive(connection: id, side: side), id, side) { return }
        connections[id]?.ends[1 - side].outbox.removeFirst()
        guard let sent = first.frame else { return try feed(id, side, .disconnected) }
        figures.frames += 1
        let frame = connections[id]?.ends[side].isOver == false ? arrived(sent) : sent
        if case .acknowledge(_, let vector)? = try? Message(encoded: frame) {
            connections[id]?.ends[side].unacknowledged.removeAll { vector.covers($0.last) }
        }
        try feed(id, side, .frame(frame))
    }

    mutating func tick(_ id: Int, _ side: Int) throws {
        guard connections[id] != nil, !isPutOff(.tick(connection: id, side: side), id, side) else { return }
        connections[id]?.ends[side].tickAt = .max
        try feed(id, side, .tick)
    }

    mutating func notice(_ id: Int, _ side: Int) throws {
        guard connections[id] != nil, !isPutOff(.notice(connection: id, side: side), id, side) else { return }
        try feed(id, side, .disconnected)
    }

    // MARK: Breaking

    /// Cuts a connection: of what is on its way a part still arrives, drawn for each direction.
    ///
    /// - Parameters:
    ///   - dead: the node that died of it, which notices nothing any more.
    ///   - isSilent: whether neither side is told.
    mutating func cut(_ id: Int, dead: Int? = nil, isSilent: Bool = false) {
        guard let connection = connections[id], !connection.isCut else { return }
        figures.disconnects += 1
        connections[id]?.isCut = true
        for side in 0...1 {
            let kept = choices.number(0...connection.ends[side].outbox.count)
            connections[id]?.ends[side].outbox.removeLast(connection.ends[side].outbox.count - kept)
            let isSilent = isSilent || choices.chance(swarm.halfOpenPercent)
            let notice = now + choices.duration(mean: 1_000)
            if connection.ends[side].node == dead {
                connections[id]?.ends[side].isOver = true
                connections[id]?.ends[side].tasks = []
            } else if !isSilent {
                queue.add(.notice(connection: id, side: side), at: notice)
            }
        }
        if links[connection.link].connection == id {
            links[connection.link].connection = nil
            redial(connection.link, mean: 2_000)
        }
        if connections[id]?.ends.allSatisfy(\.isOver) == true { connections[id] = nil }
    }
}
