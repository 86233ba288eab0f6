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
        let wanted = wantedAddresses()
        for (address, road) in roads where !wanted.contains(address) {
            road.pause?.cancel()
            road.task?.cancel()
            roads[address] = nil
        }
        for address in wanted where roads[address] == nil { roads[address] = Road(node: owner(of: address)) }
        for address in wanted.sorted() where shouldDial(address) {
            roads[address]?.task = Task { await travel(address) }
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

    /// All addresses: configured, added by hand, told by peers, and written into the members' records.
    private func wantedAddresses() -> Set<NodeAddress> {
        var texts = acquaintances.values.flatMap(\.known.addresses)
        do {
            texts += try setting.store.manualAddresses()
            for record in try setting.store.records(RecordQuery(kind: "member")) {
                if case .array(let values)? = record.fields["addresses"] {
                    for case .string(let text) in values { texts.append(text) }
                }
            }
        } catch {
            report("the addresses of peers cannot be read", ConcordError(wrapping: error))
        }
        let own = Set(advertisedAddresses())
        // What a peer or a record says may be no address at all; then there is nothing to dial.
        let parsed = texts.filter { !own.contains($0) }.compactMap { try? NodeAddress(parsing: $0) }
        return Set(parsed).union(setting.configuration.peers)
    }

    private func owner(of address: NodeAddress) -> NodeID? {
        acquaintances.values.first { $0.known.addresses.contains(address.description) }?.known.node
    }

    private func shouldDial(_ address: NodeAddress) -> Bool {
        guard let road = roads[address], road.task == nil, !road.isSelf, !paused.all else { return false }
        guard let node = road.node else { return true }
        if links[node] != nil { return false }
        return acquaintances[node].map { !isPaused($0.known.member) } ?? true
    }

    /// One attempt, and the wait after it.
    private func travel(_ address: NodeAddress) async {
        let outcome = await attempt(address)
        guard var road = roads[address] else { return }
        switch outcome {
        case .exchanged: road.backoff.reset()  // the peer is there, and its absence may be short
        case .isSelf: road.isSelf = true
        case .paused, .duplicate, .failed: break
        }
        let delay = road.backoff.next(random: Double.random(in: 0...1))
        let pause = Task { try await Task.sleep(for: delay) }
        road.pause = pause
        roads[address] = road
        // Cancelled when somebody wants the address dialled at once.
        _ = await pause.result
        roads[address]?.pause = nil
        roads[address]?.task = nil
        redial()
    }

    private func attempt(_ address: NodeAddress) async -> Outcome {
        do {
            let connection = try await Dialler.dial(
                host: address.host, port: address.port, context: setting.context, logger: setting.logger)
            let outcome = await serve(connection, road: address)
            record(outcome, at: address)
            return outcome
        } catch {
            let outcome = Outcome.failed(ConcordError(wrapping: error))
            record(outcome, at: address)
            return outcome
        }
    }

    private func record(_ outcome: Outcome, at address: NodeAddress) {
        guard !isStopping else { return }
        let now = setting.clock()
        guard case .failed(let error) = outcome else { return }
        let isRefusal = [.refusesOurCertificate, .ourCertificateExpired].contains(error.code)
        func note(_ health: inout PeerHealth) {
            health.record(isRefusal ? .refused : .failed)
            health.record(error, at: now)
        }
        if roads[address] != nil { note(&roads[address]!.health) }
        if let node = roads[address]?.node, links[node] == nil, acquaintances[node] != nil {
            note(&acquaintances[node]!.health)
        }
        setting.logger.notice(
            "peer not reached",
            metadata: [
                "address": "\(address)", "code": "\(error.code.rawValue)", "reason": "\(error.message)",
            ])
    }
}
