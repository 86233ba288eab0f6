// A member's authority keys: which are current after rotations, and what the others still do.

import ConcordCrypto
import ConcordModel
import Testing

@Suite("Roster: authority keys")
struct AuthorityKeyTests {
    private let members: [TestMember]
    private let charter: Charter
    private let some: SomeActs

    init() throws {
        let members = try TestMember.all()
        self.members = members
        charter = try Charter(
            name: "Space", timestamp: 1, founders: members.prefix(2).map(\.statement), admissionThreshold: 1,
            suspensionThreshold: 2)
        some = try SomeActs(charter.space)
    }

    private func key(_ index: Int) -> Digest { members[index].key.publicKey.fingerprint }

    /// The roster after member 0 made these rotations from key to key.
    private func roster(_ rotations: [(Int, Int)]) throws -> Roster {
        let acts = try rotations.enumerated().map { index, keys in
            try some.rotate(0, from: keys.0, to: keys.1, at: Int64(index))
        }
        return Roster(charter: charter, endorsements: try acts.flatMap { try some.endorsements($0, by: [0]) })
    }

    private func current(_ rotations: [(Int, Int)]) throws -> Set<Int> {
        let entry = try #require(try roster(rotations).entry(members[0].id))
        #expect(entry.authorities == entry.authorityKeys.map { key in certificate(of: key) })
        #expect(entry.formerAuthorities == entry.formerKeys.map { key in certificate(of: key) })
        for index in members.indices {
            #expect(entry.hasAuthority(key(index)) == entry.authorityKeys.contains(key(index)))
            #expect(
                entry.hadAuthority(key(index))
                    == (entry.authorityKeys + entry.formerKeys).contains(key(index)))
        }
        return Set(members.indices.filter { entry.hasAuthority(key($0)) })
    }

    private func certificate(of key: Digest) -> [UInt8]? {
        members.first { $0.key.publicKey.fingerprint == key }?.certificate.der
    }

    @Test("the founding key is current until it is rotated, and then the new one is, with the same member id")
    func rotation() throws {
        #expect(try current([]) == [0])
        #expect(try current([(0, 2)]) == [2])
        #expect(try current([(0, 2), (2, 3)]) == [3])
        let entry = try #require(try roster([(0, 2), (2, 3)]).entry(members[0].id))
        #expect(Set(entry.formerKeys) == [key(0), key(2)] && entry.statement.id == members[0].id)
    }

    @Test("a rotation from a key that the member never had changes nothing")
    func unreachable() throws {
        #expect(try current([(4, 5)]) == [0])
        #expect(try current([(4, 5), (0, 2)]) == [2])
        #expect(try current([(4, 5), (0, 4)]) == [5])
    }

    @Test("after concurrent rotations both new keys are current, until one is rotated to the other")
    func concurrent() throws {
        #expect(try current([(0, 2), (0, 3)]) == [2, 3])
        #expect(try current([(0, 2), (0, 3), (3, 2)]) == [2])
        #expect(try current([(0, 2), (0, 3), (2, 4), (3, 4)]) == [4])
        #expect(try current([(0, 2), (0, 2)]) == [2], "the same twice is one")
    }

    @Test("rotations in a circle leave no key")
    func circle() throws {
        #expect(try current([(0, 2), (2, 0)]).isEmpty)
        #expect(try current([(0, 2), (2, 3), (3, 2)]).isEmpty)
    }

    @Test(
        "what was rotated does not sign any more, what came does, and each rotation is signed with the key that goes"
    )
    func signatures() throws {
        let rotated = try roster([(0, 2)])
        func counts(_ form: some FormalAct, key: Int, _ roster: Roster) throws -> Bool {
            roster.endorsement(of: try some.sign(form, as: 0, key: key), in: charter.space) != nil
        }
        let act = some.admit(4)
        #expect(
            try counts(act, key: 0, Roster(charter: charter))
                && !counts(act, key: 2, Roster(charter: charter)))
        #expect(try !counts(act, key: 0, rotated) && counts(act, key: 2, rotated))
        let next = try some.rotate(0, from: 2, to: 3)
        #expect(try counts(next, key: 2, rotated) && !counts(next, key: 0, rotated))
        let both = try roster([(0, 2), (0, 3)])
        #expect(try counts(act, key: 2, both) && counts(act, key: 3, both))
        let foreign = try some.rotate(0, from: 3, to: 4)
        #expect(try counts(foreign, key: 3, both) && !counts(foreign, key: 2, both), "another current key")
        #expect(
            try !counts(act, key: 2, roster([(0, 2), (2, 0)]))
                && !counts(act, key: 0, roster([(0, 2), (2, 0)])))
    }

    @Test("a member is found by its current keys while it is in standing")
    func search() throws {
        let rotated = try roster([(0, 2)])
        #expect(rotated.members(withAuthority: key(2)) == [members[0].id])
        #expect(rotated.members(withAuthority: key(0)).isEmpty)
        #expect(rotated.members(withAuthority: key(1)) == [members[1].id])
        let borrowed = try roster([(0, 1)])
        #expect(Set(borrowed.members(withAuthority: key(1))) == [members[0].id, members[1].id])
    }

    @Test("a member revokes nodes of its own and nobody else's")
    func revocation() throws {
        let node = NodeID(SHA256.hash([1]))
        let act = some.revoke(node, keeps: [Dot(1, 5)])
        let roster = Roster(charter: charter, endorsements: try some.endorsements(act, by: [0]))
        #expect(roster.isRevoked(node, of: members[0].id) && !roster.isRevoked(node, of: members[1].id))
        #expect(roster.revoked.map(\.member) == [members[0].id] && roster.revoked.map(\.node) == [node])
        let both = Roster(charter: charter, endorsements: try some.endorsements(act, by: [1, 0, 1]))
        #expect(both.revoked.map(\.member) == [members[0].id, members[1].id].sorted())
    }
}
