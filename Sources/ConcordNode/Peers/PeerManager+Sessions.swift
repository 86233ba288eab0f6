// From an established connection to the end of its session.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import ConcordTransport

extension PeerManager {
    /// What came of a connection, for whoever dialled it.
    enum Outcome {
        /// A session ran, for so long.
        case exchanged(lasted: Duration)
        case isSelf
        case paused
        case duplicate
        /// The peer, or this node, has as many sessions as it takes.
        case full
        /// The peer was not reached, or did not get as far as a hello.
        case failed(ConcordError)
    }

    /// Runs a session over a connection, if there should be one with this peer.
    func serve(_ connection: FrameConnection, road: NodeAddress?) async -> Outcome {
        let node = NodeID(certificate: connection.peer.node)
        guard node != setting.identity.nodeID else {
            await connection.close()
            return .isSelf
        }
        guard let authority = setting.trusted.authority(of: connection.peer) else {
            return await turnAway(connection, .unknownAuthority, "the member is not on a shared roster")
        }
        if let road {
            roads[road]?.node = node
            roads[road]?.member = authority.member
        }
        guard !isStopping else {
            return await turnAway(connection, nil, "this node stops")
        }
        guard !isPaused(authority.member) else {
            _ = await turnAway(connection, .peerPaused, "exchange with this peer is paused")
            return .paused
        }
        if links[node] == nil, !admits(node, dialled: road != nil) {
            _ = await turnAway(connection, .peersFull, "this node has as many peers as it takes")
            return .full
        }
        if let present = links[node] {
            guard isPreferred(connection, from: node, over: present) else {
                _ = await turnAway(connection, .duplicateConnection, "the two nodes are connected already")
                return .duplicate
            }
            present.driver.submit(.stop(.duplicateConnection, "another connection takes over"))
        }
        do {
            return await exchange(connection, node, authority, try session(for: authority.member))
        } catch {
            let error = ConcordError(wrapping: error)
            report("a session cannot begin", error)
            await connection.close()
            return .failed(error)
        }
    }

    private func session(for member: MemberID) throws -> Session {
        let local = LocalDescription(
            nodeName: UTF8Text(setting.identity.nodeName), incarnation: setting.incarnation,
            addresses: advertisedAddresses().map { UTF8Text($0) },
            vocabularyLevel: setting.release.vocabularyLevel, spaces: try spaceHeads(for: member))
        return Session(configuration: setting.release.session, local: local)
    }

    private func isPreferred(_ connection: FrameConnection, from node: NodeID, over present: Link) -> Bool {
        // The same side dialled again: it has given up the older connection.
        guard connection.isInitiator != present.isInitiator else { return true }
        // Somebody dialled although there is a connection, and that one is mute: it is dead.
        guard present.driver.silence < PeerLimits.silenceOfDead else { return true }
        let initiatedHere = setting.identity.nodeID < node
        return connection.isInitiator == initiatedHere
    }

    private func turnAway(_ connection: FrameConnection, _ code: ErrorCode?, _ sentence: String) async
        -> Outcome
    {
        let goodbye = Message.goodbye(code: UTF8Text(code?.rawValue ?? ""), sentence: UTF8Text(sentence))
        // The peer may be gone already; then it does not need to be told.
        _ = try? await connection.send(goodbye.encoded())
        await connection.close()
        return .failed(ConcordError(code ?? .connectionFailed, sentence))
    }

    private func exchange(
        _ connection: FrameConnection, _ node: NodeID, _ authority: TrustedAuthority,
        _ session: consuming Session
    ) async -> Outcome {
        let driver = SessionDriver(
            connection: connection, store: setting.store, desk: intake, attachments: setting.attachments,
            clock: setting.clock
        ) { [weak self] event in await self?.handle(event, of: node, on: connection) }
        links[node] = Link(
            driver: driver, member: authority.member, isInitiator: connection.isInitiator,
            since: setting.clock())
        setting.logger.info(
            "connected",
            metadata: [
                "peer": "\(authority.code)", "node": "\(connection.peer.node.subject.commonName)",
                "address": "\(connection.remoteAddress)", "dialled": "\(connection.isInitiator)",
            ])
        let began = ContinuousClock.now
        let end = await driver.run(session)
        return await ended(driver, node, authority, end, lasted: ContinuousClock.now - began)
    }

    /// The peer introduced itself, or said something new of itself.
    private func meet(_ node: NodeID, _ hello: PeerHello) {
        guard let link = links[node] else { return }
        // In one spelling each, and only what is an address.
        let addresses = hello.hello.addresses.compactMap { try? NodeAddress(parsing: $0.string).description }
        let name = link.driver.connection.peer.node.subject.commonName
        var acquaintance =
            acquaintances[node]
            ?? Acquaintance(
                known: KnownPeer(
                    node: node, member: link.member, name: name, addresses: [], lastHeard: nil, lastError: nil
                ))
        if link.hello == nil { acquaintance.health.record(.reached) }
        acquaintance.known.name = name
        acquaintance.known.addresses = addresses
        acquaintance.known.lastHeard = setting.clock()
        acquaintance.known.lastError = nil
        acquaintance.health.recovered()
        acquaintance.pausedUs = false
        acquaintances[node] = acquaintance
        links[node]?.hello = hello
    }

    private func handle(_ event: SessionDriver.Event, of node: NodeID, on connection: FrameConnection) async {
        guard links[node]?.driver.connection === connection else {
            return await concern(event, of: connection)
        }
        switch event {
        case .hello(let hello):
            meet(node, hello)
            await remember(node)
            redial()
        case .progress(let space, let progress):
            links[node]?.progress[space] = progress
            if progress.digestEqual == true {
                alarms = alarms.filter { $0.key.space != space || $0.key.node != node }
            }
        case .roundTrip(let duration):
            links[node]?.roundTrip = duration
        case .alarm(let space, let error):
            if let space { alarms[AlarmKey(space: space, node: node, code: error.code)] = error }
            report("alarm", error)
        case .forked, .ownReplicaElsewhere, .receipts, .refusedReceipts: await concern(event, of: connection)
        }
    }

    /// What concerns the whole node, also when it comes from a session whose connection was taken over by another.
    private func concern(_ event: SessionDriver.Event, of connection: FrameConnection) async {
        switch event {
        case .forked(let space, let replica):
            for link in links.values where link.driver.connection !== connection {
                link.driver.submit(.forked(space, replica))
            }
        case .ownReplicaElsewhere(let space, let replica): await leaveBehind(replica, in: space)
        case .receipts(let space, let receipts):
            let bearer = links.values.first { $0.driver.connection === connection }?.member
            for receipt in receipts where receipt.member != bearer { receiptRoads[receipt.node] = bearer }
            for link in links.values { link.driver.submit(.receipts(space, receipts)) }
        case .refusedReceipts(let space, let count, let error):
            setting.logger.notice(
                "receipts refused",
                metadata: [
                    "space": "\(space)", "count": "\(count)", "code": "\(error.code.rawValue)",
                    "reason": "\(error.message)",
                ])
        case .hello, .progress, .roundTrip, .alarm: break
        }
    }

    /// Writes no more under a replica of which a peer says that it is written elsewhere, too. Its word is taken once in a
    /// while, since it costs a replica each time; when the changes themselves come, the store does the same at once.
    func leaveBehind(_ replica: ReplicaID, in space: SpaceID) async {
        let now = ContinuousClock.now
        if let last = leftBehindAt[space], now - last < PeerLimits.leaveBehindInterval { return }
        leftBehindAt[space] = now
        do {
            guard try await setting.store.retire(replica, in: space) else { return }
            setting.logger.notice(
                "left a replica behind", metadata: ["space": "\(space)", "replica": "\(replica)"])
        } catch {
            report("a replica cannot be left behind", ConcordError(wrapping: error))
        }
    }

    private func ended(
        _ driver: SessionDriver, _ node: NodeID, _ authority: TrustedAuthority, _ end: SessionEnd,
        lasted: Duration
    ) async -> Outcome {
        let now = setting.clock()
        let error = self.error(of: end, driver)
        var hadHello = false
        acquaintances[node]?.bytesReceived += Int64(driver.connection.bytesReceived)
        acquaintances[node]?.bytesSent += Int64(driver.connection.bytesSent)
        // Otherwise another connection has taken over, and how this one ended says nothing about the peer.
        let isCurrent = links[node]?.driver === driver
        if isCurrent, let link = links[node] {
            hadHello = link.hello != nil
            for (space, progress) in link.progress {
                let held = (try? setting.store.space(space).changes) ?? 0
                acquaintances[node]?.lastProgress[space] = (progress.theyLack, held, now)
            }
            links[node] = nil
        }
        if hadHello { acquaintances[node]?.known.lastHeard = now - Int64(driver.silence / .milliseconds(1)) }
        if end.code == ErrorCode.peerPaused.rawValue, end.byPeer { acquaintances[node]?.pausedUs = true }
        if isCurrent, let error, ![.duplicateConnection, .peersFull].contains(error.code) {
            acquaintances[node]?.health.record(error, at: now)
            acquaintances[node]?.known.lastError = .init(
                code: error.code.rawValue, message: error.message, at: now)
        }
        setting.logger.info(
            "disconnected",
            metadata: [
                "peer": "\(authority.code)", "node": "\(driver.connection.peer.node.subject.commonName)",
                "code": "\(error?.code.rawValue ?? "")", "reason": "\(error?.message ?? end.sentence)",
                "by_peer": "\(end.byPeer)",
            ])
        await remember(node)
        redial()
        if !isCurrent || end.code == ErrorCode.duplicateConnection.rawValue { return .duplicate }
        if end.code == ErrorCode.peerPaused.rawValue { return .paused }
        if end.code == ErrorCode.peersFull.rawValue { return .full }
        guard let error, !hadHello else { return .exchanged(lasted: lasted) }
        return .failed(error)
    }

    /// What was wrong, nil for an end in good order; the peer's misdeeds are counted.
    private func error(of end: SessionEnd, _ driver: SessionDriver) -> ConcordError? {
        let address = driver.connection.remoteAddress
        func counted(_ error: ConcordError) -> ConcordError {
            refusals.count(error, address: address, at: setting.clock())
            return error
        }
        // Only where the connection broke: how it went down after a session had ended is of no interest.
        if end.byPeer, end.code == ErrorCode.connectionFailed.rawValue, let failure = driver.transportError {
            let error = ConcordError(failure)
            switch failure.reason {
            case .frameTooLarge, .emptyFrame, .corrupted: return counted(error)
            default: return error
            }
        }
        guard let text = end.code else { return nil }
        guard let code = ErrorCode(rawValue: text) else {
            // The code of a later version.
            return ConcordError(.connectionFailed, "the peer says: \(end.sentence) (\(text))")
        }
        guard end.byPeer else {
            let error = ConcordError(code, end.sentence)
            return end.faultClass == .fault ? counted(error) : error
        }
        return ConcordError(code, code == .connectionFailed ? end.sentence : "the peer says: \(end.sentence)")
    }

    private func remember(_ node: NodeID) async {
        guard setting.store.storageTrouble == nil, let known = acquaintances[node]?.known else { return }
        do {
            try await setting.store.rememberPeer(known)
        } catch {
            report("a peer cannot be remembered", ConcordError(wrapping: error))
        }
    }
}
