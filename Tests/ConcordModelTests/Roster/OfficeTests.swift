// Offices: given by the threshold, handed over by who holds them, and what happens when both are done at once.

import ConcordCrypto
import ConcordModel
import Testing

@Suite("Roster: offices")
struct OfficeTests {
    private let members: [TestMember]
    private let charter: Charter
    private let some: SomeActs

    init() throws {
        let members = try TestMember.all()
        self.members = members
        charter = try Charter(
            name: "Space", timestamp: 1, founders: members.prefix(4).map(\.statement), admissionThreshold: 3,
            suspensionThreshold: 3)
        some = try SomeActs(charter.space)
    }

    /// The holders of an office, one list per appointment in force.
    private func holders(_ office: UTF8Text, _ acts: [(Appointment, [Int])]) throws -> Set<[Int]> {
        let endorsements = try acts.flatMap { try some.endorsements($0.0, by: $0.1) }
        let offices = Roster(charter: charter, endorsements: endorsements).offices
        let indices = Dictionary(uniqueKeysWithValues: members.enumerated().map { ($1.id, $0) })
        return Set(offices.filter { $0.office == office }.map { $0.holders.map { indices[$0]! }.sorted() })
    }

    @Test("an appointment counts from the threshold on")
    func threshold() throws {
        let act = some.appoint("troika", [0, 1, 2])
        #expect(try holders("troika", [(act, [0, 1])]).isEmpty)
        #expect(try holders("troika", [(act, [0, 1, 1])]).isEmpty)
        #expect(try holders("troika", [(act, [0, 1, 3])]) == [[0, 1, 2]])
        #expect(try holders("chair", [(act, [0, 1, 3])]).isEmpty)
    }

    @Test("who holds an office hands it over alone; several holders do it together")
    func handOver() throws {
        let first = some.appoint("chair", [0])
        let second = some.appoint("chair", [1], replacing: [first])
        #expect(try holders("chair", [(first, [0, 1, 2]), (second, [0])]) == [[1]])
        #expect(try holders("chair", [(first, [0, 1, 2]), (second, [1])]) == [[0]], "not by the successor")
        let third = some.appoint("chair", [2], replacing: [second])
        #expect(try holders("chair", [(first, [0, 1, 2]), (second, [0]), (third, [1])]) == [[2]])
        let pair = some.appoint("secretariat", [0, 1])
        let next = some.appoint("secretariat", [2], replacing: [pair])
        #expect(try holders("secretariat", [(pair, [0, 1, 2]), (next, [0])]) == [[0, 1]])
        #expect(try holders("secretariat", [(pair, [0, 1, 2]), (next, [0, 1])]) == [[2]])
    }

    @Test("nobody hands over another office, one that does not count, or one that nobody holds")
    func unfoundedHandOver() throws {
        let chair = some.appoint("chair", [0])
        let other = some.appoint("troika", [0, 1], replacing: [chair])
        #expect(try holders("troika", [(chair, [0, 1, 2]), (other, [0])]).isEmpty)
        let uncounted = some.appoint("chair", [3])
        let built = some.appoint("chair", [2], replacing: [uncounted])
        #expect(try holders("chair", [(uncounted, [3]), (built, [3])]).isEmpty)
        let vacant = some.appoint("chair", [], replacing: [chair])
        let taken = some.appoint("chair", [3], replacing: [vacant])
        #expect(try holders("chair", [(chair, [0, 1, 2]), (vacant, [0]), (taken, [3])]) == [[]])
        #expect(try holders("chair", [(chair, [0, 1, 2]), (vacant, [0]), (taken, [1, 2, 3])]) == [[3]])
        let both = some.appoint("chair", [3], replacing: [chair, uncounted])
        #expect(
            try holders("chair", [(chair, [0, 1, 2]), (both, [0])]) == [[0]], "one of two does not count")
    }

    @Test("two appointments at the same time are both in force until one that names both settles it")
    func concurrent() throws {
        let first = some.appoint("chair", [0])
        let (second, third) = (
            some.appoint("chair", [1], replacing: [first]), some.appoint("chair", [2], replacing: [first])
        )
        let both = [(first, [0, 1, 2]), (second, [0]), (third, [0])]
        #expect(try holders("chair", both) == [[1], [2]])
        let settled = some.appoint("chair", [3], replacing: [second, third])
        #expect(try holders("chair", both + [(settled, [1])]) == [[1], [2]], "one of the two holders")
        #expect(try holders("chair", both + [(settled, [1, 2])]) == [[3]])
        #expect(try holders("chair", both + [(settled, [0, 1, 3])]) == [[3]])
    }
}
