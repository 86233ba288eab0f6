// What a person decides about peers: addresses to dial, members to pause.

import ConcordAPI
import ConcordModel
import ConcordStore
import ConcordSync

extension PeerManager: PeerServices {
    func peers() async throws -> PeersDocument {
        let codes = paused.members.map { member in
            setting.trusted.authority(of: member)?.code ?? member.description
        }
        return PeersDocument(
            peers: try peerDocuments(), addresses: try setting.store.manualAddresses(), pausedAll: paused.all,
            paused: codes.sorted())
    }

    func addAddress(_ address: NodeAddress) async throws {
        try await setting.store.addAddress(address.description)
        roads[address]?.backoff.reset()
        roads[address]?.pause?.cancel()
        redial()
    }

    func removeAddress(_ address: NodeAddress) async throws {
        guard try await setting.store.removeAddress(address.description) else {
            throw ConcordError(
                .badAddress, "\(address) was not added by hand", action: "see `concord peer list`")
        }
        redial()
    }

    func tookBranch(of replica: ReplicaID, in space: SpaceID) {
        for link in links.values { link.driver.submit(.forked(space, replica)) }
    }

    func isElsewhere(_ replica: ReplicaID, in space: SpaceID) async { await leaveBehind(replica, in: space) }

    func learned(_ receipts: [Receipt], in space: SpaceID, from bearer: MemberID) {
        for receipt in receipts where receipt.member != bearer { receiptRoads[receipt.node] = bearer }
        for link in links.values { link.driver.submit(.receipts(space, receipts)) }
    }

    func pause(member: String?) async throws {
        let member = try member.map(find)
        try await setting.store.setPaused(member, true)
        paused = try setting.store.pausedMembers()
        for link in links.values where isPaused(link.member) {
            link.driver.submit(.stop(.peerPaused, "exchange with this peer is paused"))
        }
    }

    func resume(member: String?) async throws {
        if let member = try member.map(find), paused.all {
            // Only one is wanted back: the others stay paused, one by one.
            try await setting.store.setPaused(nil, false)
            for authority in setting.trusted.all {
                try await setting.store.setPaused(authority.member, authority.member != member)
            }
        } else {
            try await setting.store.setPaused(try member.map(find), false)
        }
        paused = try setting.store.pausedMembers()
        redialAtOnce()
    }

    func advertisedAddresses() -> [String] {
        guard setting.configuration.addresses.isEmpty else {
            return setting.configuration.addresses.map(\.description)
        }
        // Where a node listens on every interface, only its administrator knows by which name it is reached.
        return listening.filter { !$0.hasPrefix("0.0.0.0:") && !$0.hasPrefix("[::]:") }
    }

    func spacesChanged() {
        refreshTrust()
        redialAtOnce()
    }

    private func find(_ text: String) throws -> MemberID {
        let matches = setting.trusted.all.filter {
            $0.code == text || text.utf8.count >= 4 && $0.member.description.hasPrefix(text.lowercased())
        }
        guard let first = matches.first else {
            throw ConcordError(.unknownMember, "\(text) is on no roster here")
        }
        guard matches.count == 1 else {
            throw ConcordError(
                .ambiguousIdentifier, "\(matches.count) members are called \(text)",
                action: "give the beginning of the member's id, as `concord member list --json` shows it")
        }
        return first.member
    }
}
