// Scripts from seeds. Every script draws its own odds, so that some histories are full of forks and others of
// suspensions: faults that need much of one thing are not diluted by all the others.

/// A small generator whose whole sequence follows from its seed (SplitMix64).
struct HistoryDice: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    /// True in so many of a hundred cases.
    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
    mutating func pick() -> HistoryPick { HistoryPick(number: number(0...0xf_ffff)) }
}

/// How large histories are to be.
struct HistorySize {
    let founders: ClosedRange<Int>
    let applicants: ClosedRange<Int>
    let seats: Int
    let steps: ClosedRange<Int>
    let admission: ClosedRange<Int>
    let suspension: ClosedRange<Int>
    /// Of which a script draws one: how many of a hundred nodes are hostile.
    let hostility: [Int]
}

extension HistoryScript {
    /// The script of a seed.
    init(seed: UInt64, size: HistorySize) {
        var dice = HistoryDice(seed)
        self.seed = seed
        founders = dice.number(size.founders)
        members = founders + dice.number(size.applicants)
        admission = dice.number(size.admission)
        suspension = dice.number(size.suspension)
        seats = Self.seats(members: members, size, &dice)
        let odds = Odds(&dice)
        let count = dice.number(size.steps)
        var steps: [HistoryStep] = []
        for _ in 0..<count { steps.append(odds.step(seats, members: members, founders: founders, &dice)) }
        self.steps = steps
    }

    /// One to three nodes each, of which at least one is honest.
    private static func seats(members: Int, _ size: HistorySize, _ dice: inout HistoryDice) -> [Seat] {
        let hostility = size.hostility[dice.number(0...(size.hostility.count - 1))]
        var seats: [Seat] = []
        for member in 0..<members {
            for node in 0..<[1, 1, 2, 3][dice.number(0...3)]
            where node == 0 || seats.count + members < size.seats {
                seats.append(Seat(member: member, node: node, isHostile: dice.chance(hostility)))
            }
        }
        if seats.allSatisfy(\.isHostile) { seats[0] = Seat(member: 0, node: 0, isHostile: false) }
        return seats
    }

    /// What happens how often in one script.
    private struct Odds {
        let write, act, sync: Int
        let fork, backDate, smuggle, stale, forge: Int
        let leave, rotate, revoke: Int

        init(_ dice: inout HistoryDice) {
            (write, act, sync) = (dice.number(1...10), dice.number(0...8), dice.number(1...6))
            func sometimes(_ percent: Int) -> Int { dice.chance(50) ? percent : 0 }
            (fork, backDate, smuggle) = (sometimes(25), sometimes(40), sometimes(15))
            (stale, forge) = (sometimes(30), sometimes(30))
            (leave, rotate, revoke) = (sometimes(4), sometimes(8), sometimes(12))
        }

        func step(_ seats: [Seat], members: Int, founders: Int, _ dice: inout HistoryDice) -> HistoryStep {
            let kind = dice.number(1...(write + act + sync))
            let seat = dice.number(0...(seats.count - 1))
            if kind > write + act, seats.count > 1 {
                let other = (seat + dice.number(1...(seats.count - 1))) % seats.count
                return .sync(from: seat, to: other, limit: [nil, nil, 1, 3][dice.number(0...3)])
            }
            let manner = seats[seat].isHostile ? manner(&dice) : nil
            if kind > write {
                let procedure = procedure(seats, seat, members: members, &dice)
                return .act(seat: seat, procedure, signers: signers(seats[seat], members, &dice), manner)
            }
            var edits: [HistoryEdit] = []
            for _ in 0..<dice.number(1...4) { edits.append(edit(&dice)) }
            return .write(seat: seat, edits, manner)
        }

        private func manner(_ dice: inout HistoryDice) -> HistoryManner {
            let past: HistoryManner.Past =
                dice.chance(backDate) ? .backDated(dice.pick()) : dice.chance(smuggle) ? .smuggling : .honest
            return HistoryManner(
                past: past, fork: dice.chance(fork) ? dice.pick() : nil, isStale: dice.chance(stale),
                forged: dice.chance(forge) ? dice.pick() : nil, forgesSignature: dice.chance(10))
        }

        private func signers(_ seat: Seat, _ members: Int, _ dice: inout HistoryDice) -> [Int] {
            var signers = dice.chance(85) ? [seat.member] : []
            while signers.isEmpty || dice.chance(50) { signers.append(dice.number(0...(members - 1))) }
            return Array(Set(signers)).sorted()
        }

        private func edit(_ dice: inout HistoryDice) -> HistoryEdit {
            switch dice.number(0...10) {
            case 0, 1: .create(kind: dice.number(0...6), parent: dice.pick())
            case 2, 3, 4: .set(dice.pick(), field: dice.number(0...1), value: dice.number(0...9))
            case 5: .add(dice.pick(), element: dice.number(0...2))
            case 6: .remove(dice.pick(), element: dice.number(0...2))
            case 7, 10: .edit(dice.pick(), dice.pick())
            case 8: .delete(dice.pick())
            default: .restore(dice.pick())
            }
        }

        private func keep(_ dice: inout HistoryDice) -> HistoryKeep {
            [.held, .effective, .part(dice.pick())][dice.number(0...2)]
        }

        private func procedure(_ seats: [Seat], _ seat: Int, members: Int, _ dice: inout HistoryDice)
            -> HistoryProcedure
        {
            let member = seats[seat].member
            if dice.chance(revoke) { return .revoke(seat: dice.number(0...(seats.count - 1)), keep(&dice)) }
            if dice.chance(leave) { return .leave(member, keep(&dice)) }
            if dice.chance(rotate) { return .rotate(member) }
            if dice.chance(40) { return .again(dice.pick()) }
            switch dice.number(0...3) {
            case 0:
                return .admit(
                    dice.pick(), as: dice.chance(67) ? .member : .observer,
                    predecessor: dice.chance(20) ? dice.number(0...(members - 1)) : nil)
            case 1, 2: return .suspend(dice.number(0...(members - 1)), keep(&dice))
            default: return .reinstate(dice.pick(), which: dice.number(1...7))
            }
        }
    }
}
