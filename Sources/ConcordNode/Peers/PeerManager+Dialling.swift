// Which addresses are dialled, and when. An address is dialled by one task at a time; after a failure it waits, longer
// each time and by a random part, unless a person or a change of the roster says otherwise.

import ConcordAPI
import ConcordModel
import ConcordStore
import ConcordTransport

extension PeerManager {
    /// Dials every address that should be connected and is not. Cheap; called whenever anything changed.
    func redial() {
        guard !isStopping else { return }
        addressesOfPeople = addressesByHand()
        let wanted = wantedAddresses(byHand: addressesOfPeople)
        // A session that came about by an address goes on when the address is wanted no longer.
        for (address, road) in roads where !wanted.contains(address) && !road.isCarrying {
            road.pause?.cancel()
            road.task?.cancel()
            roads[address] = nil
        }
        for address in wanted where roads[address] == nil {
            roads[address] = Road(id: nextRoad)
            nextRoad += 1
        }
        for address in chosen(from: wanted) {
            guard let id = roads[address]?.id else { continue }
            roads[address]?.task = Task { await travel(address, id) }
        }
    }

    /// Forgets the waiting times, so that everybody is dialled now.
    func redialAtOnce() {
        for address in roads.keys {
            roads[address]?.backoff.reset()
            roads[address]?.pause?.cancel()
        }
        redial()
    }

    /// All addresses: configured, added by hand, told by peers, and written into the members' records. What
    /// others say is bounded: nobody can have this node knock at any number of doors.
    private func wantedAddresses(byHand: Set<NodeAddress>) -> Set<NodeAddress> {
        do {
            var told = Set<NodeAddress>()
            for address in parsed(addressesToldByPeers() + (try addressesInRecords()))
            where told.count < PeerLimits.toldAddresses {
                told.insert(address)
            }
            return told.union(byHand)
        } catch {
            report("the addresses of peers cannot be read", ConcordError(wrapping: error))
            return Set(roads.keys).union(byHand)
        }
    }

    /// The addresses that people of this node gave.
    private func addressesByHand() -> Set<NodeAddress> {
        do {
            return Set(parsed(try setting.store.manualAddresses())).union(setting.configuration.peers)
        } catch {
            report("the addresses of peers cannot be read", ConcordError(wrapping: error))
            return Set(setting.configuration.peers)
        }
    }

    /// What a peer or a record says may be no address at all; then there is nothing to dial.
    private func parsed(_ texts: [String]) -> [NodeAddress] {
        let own = Set(advertisedAddresses())
        return texts.filter { !own.contains($0) }.compactMap { try? NodeAddress(parsing: $0) }
    }

    /// Those of the nodes heard last come first.
    private func addressesToldByPeers() -> [String] {
        var counts: [MemberID: Int] = [:]
        let known = acquaintances.values.map(\.known).sorted {
            ($0.lastHeard ?? 0, $1.node) > ($1.lastHeard ?? 0, $0.node)
        }
        return known.filter { setting.trusted.authority(of: $0.member) != nil }.flatMap { peer in
            let rest = PeerLimits.toldAddressesPerMember - counts[peer.member, default: 0]
            let addresses = peer.addresses.prefix(rest)
            counts[peer.member, default: 0] += addresses.count
            return addresses
        }
    }

    private func addressesInRecords() throws -> [String] {
        try setting.store.records(RecordQuery(kind: "member")).flatMap { record -> [String] in
            guard case .array(let values)? = record.fields["addresses"] else { return [] }
            return values.compactMap { if case .string(let text) = $0 { text } else { nil } }
        }
    }

    /// Whom one expects at an address: the node that answered there last, else those that name it as theirs.
    func residents(of address: NodeAddress, _ road: Road) -> [Acquaintance] {
        if let node = road.node { return acquaintances[node].map { [$0] } ?? [] }
        return acquaintances.values.filter { $0.known.addresses.contains(address.description) }
    }

    func shouldDial(_ address: NodeAddress) -> Bool {
        guard let road = roads[address], road.task == nil, !road.isSelf, !paused.all else { return false }
        if let node = road.node, links[node] != nil { return false }
        if let member = road.member, isPaused(member) { return false }
        guard road.node == nil else { return true }
        // Several may claim an address. As long as one of them is missing, it is worth a try.
        let residents = residents(of: address, road)
        return residents.isEmpty
            || residents.contains { links[$0.known.node] == nil && !isPaused($0.known.member) }
    }

    /// One attempt, and the wait after it. `id` is that of the road: after an `await` another may have taken its
    /// place.
    private func travel(_ address: NodeAddress, _ id: Int) async {
        let outcome = await attempt(address, id)
        guard var road = roads[address], road.id == id else { return }
        road.isCarrying = false
        switch outcome {
        case .exchanged(let lasted):
            road.health.record(.reached)
            road.health.recovered()
            // The peer is there, and its absence may be short.
            if lasted >= PeerLimits.steadySession { road.backoff.reset() }
        case .isSelf: road.isSelf = true
        case .full: road.avoidedUntil = .now + PeerLimits.avoidanceOfFull
        case .failed where road.backoff.failures >= 2:
            road.avoidedUntil = .now + PeerLimits.avoidanceOfUnreachable
        case .paused, .duplicate, .failed: break
        }
        guard !isStopping else {
            roads[address] = road
            return
        }
        let delay = road.backoff.next(random: Double.random(in: 0...1))
        let pause = Task { try await Task.sleep(for: delay) }
        road.pause = pause
        roads[address] = road
        // Cancelled when somebody wants the address dialled at once.
        _ = await pause.result
        guard roads[address]?.id == id else { return }
        roads[address]?.pause = nil
        roads[address]?.task = nil
        redial()
    }

    private func attempt(_ address: NodeAddress, _ id: Int) async -> Outcome {
        let outcome: Outcome
        do {
            let connection = try await Dialler.dial(
                host: address.host, port: address.port, context: setting.context,
                proxy: setting.configuration.proxy, logger: setting.logger)
            guard roads[address]?.id == id else {
                // The address was taken back meanwhile, and this task is cancelled.
                await connection.close()
                return .duplicate
            }
            roads[address]?.isCarrying = true
            outcome = await serve(connection, road: address)
        } catch {
            outcome = .failed(ConcordError(wrapping: error))
        }
        if roads[address]?.id == id { record(outcome, at: address) }
        return outcome
    }

    private func record(_ outcome: Outcome, at address: NodeAddress) {
        guard !isStopping, case .failed(let error) = outcome, let road = roads[address] else { return }
        let now = setting.clock()
        func note(_ health: inout PeerHealth) {
            health.record(Self.isRefusal(error.code) ? .refused : .failed)
            health.record(error, at: now)
        }
        note(&roads[address]!.health)
        for resident in residents(of: address, road) where links[resident.known.node] == nil {
            note(&acquaintances[resident.known.node]!.health)
        }
        // Said once: the same again at each attempt would only hide what else the log has to say.
        let isKnown = road.health.lastError?.code == error.code.rawValue
        setting.logger.log(
            level: isKnown ? .debug : .notice, "peer not reached",
            metadata: [
                "address": "\(address)", "code": "\(error.code.rawValue)", "reason": "\(error.message)",
            ])
    }

    /// Whether one of the two sides turned the other down, so that trying again changes nothing.
    private static func isRefusal(_ code: ErrorCode) -> Bool {
        [
            .refusesOurCertificate, .ourCertificateExpired, .unknownAuthority, .peerCertificateExpired,
            .certificateUnusable, .proxyAuthentication,
        ].contains(code)
    }
}
