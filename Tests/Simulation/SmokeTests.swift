// A few short runs of the simulator on each `swift test`; many and long ones are for `concord-simulator
// --count`.

import ConcordSimulator
import Testing

@Suite("Simulation")
struct SmokeTests {
    private func run(_ options: SimulationOptions) async -> (SimulationRunner.Outcome, [String]) {
        let lines = Lines()
        let outcome = await SimulationRunner(options).run { lines.append($0) }
        return (outcome, lines.all)
    }

    /// Collects what a runner writes.
    private final class Lines {
        private(set) var all: [String] = []

        func append(_ line: String) { all.append(line) }
    }

    @Test("small worlds lose nothing and converge", arguments: [1, 6, 11, 16] as [UInt64])
    func smoke(first: UInt64) async {
        let (outcome, lines) = await run(SimulationOptions(seed: first, count: 5, steps: 25))
        let report = lines.suffix(45).joined(separator: "\n")
        #expect(outcome.failedSeed == nil, "\(report)")
        #expect(outcome.figures.seeds == 5)
        #expect(outcome.figures.changes > 30 && outcome.figures.frames > 100, "\(outcome.figures.summary)")
        #expect(outcome.figures.disconnects + outcome.figures.crashes > 0, "\(outcome.figures.summary)")
    }

    @Test(
        "worlds with copied and restored databases, hostile nodes, suspensions and reinstatements converge as well"
    )
    func hostile() async {
        let (outcome, lines) = await run(SimulationOptions(seed: 401, count: 24, nodes: 3, steps: 50))
        let report = lines.suffix(45).joined(separator: "\n")
        #expect(outcome.failedSeed == nil, "\(report)")
        let figures = outcome.figures
        #expect(figures.restored > 0 && figures.copies > 0 && figures.forks > 0, "\(figures.summary)")
        #expect(figures.alarms > 0 && figures.procedures > 0 && figures.receipts > 0, "\(figures.summary)")
        #expect(figures.mischief > 0 && figures.couriers > 0, "\(figures.summary)")
        #expect(figures.tornWrites > 0 && figures.storeFailures > 0, "\(figures.summary)")
        #expect(figures.demanded > 0 && figures.laterChanges > 0, "\(figures.table)")
        for check in ConditionalCheck.allCases {
            #expect(figures.judged[check, default: 0] > 0, "\(check.rawValue)")
        }
    }

    @Test("a larger world converges, too")
    func large() async {
        let (outcome, lines) = await run(SimulationOptions(seed: 3, nodes: 12, steps: 30))
        let report = lines.suffix(45).joined(separator: "\n")
        #expect(outcome.failedSeed == nil, "\(report)")
    }

    @Test("a seed repeats its run event by event", arguments: [7, 8, 9] as [UInt64])
    func determinism(seed: UInt64) async {
        let options = SimulationOptions(seed: seed, nodes: 3, steps: 25, log: .full)
        let first = await run(options)
        let second = await run(options)
        #expect(first.1.count > 30)
        #expect(first.1 == second.1)
        #expect(first.0.figures == second.0.figures)
        #expect(first.0.trace == second.0.trace)
    }

    @Test("the random numbers are those of the published algorithms")
    func vectors() {
        var random = SimulationRandom(state: (1, 2, 3, 4))
        let drawn = (0..<10).map { _ in random.next() }
        #expect(
            drawn == [
                11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360,
                607_988_272_756_665_600, 16_172_922_978_634_559_625, 8_476_171_486_693_032_832,
                10_595_114_339_597_558_777, 2_904_607_092_377_533_576,
            ])
        var split = SplitMix(state: 1_234_567)
        #expect(
            (0..<3).map { _ in split.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            ])
        #expect(SimulationRandom.subSeed(1, "network") != SimulationRandom.subSeed(1, "faults"))
    }

    @Test("the fixed certificates belong to the derived keys", arguments: 0..<SimulatedIdentity.count)
    func identities(number: Int) throws {
        let identity = try SimulatedIdentity(number)
        #expect(identity.authority.publicKey == identity.authorityKey.publicKey)
        #expect(identity.node.publicKey == identity.nodeKey.publicKey)
        #expect(identity.node.isIssued(by: identity.authority))
        #expect(identity.authority.subject.memberCode == identity.code)
        #expect(identity.node.subject.commonName == identity.city)
    }
}
