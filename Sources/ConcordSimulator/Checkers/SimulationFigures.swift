// What the runs of a simulation count.

import Foundation

/// What happened in a run, in numbers.
public struct SimulationFigures: Hashable, Sendable {
    /// Seeds that were run.
    public var seeds = 0
    /// Changes that were acknowledged to their authors.
    public var changes = 0
    /// Writes that were refused.
    public var refusals = 0
    /// Fields in conflict at the end.
    public var conflicts = 0
    /// Records that are deleted at the end.
    public var deleted = 0
    /// Connections that were made.
    public var connections = 0
    /// Connections that were cut by a fault.
    public var disconnects = 0
    /// Nodes that were killed.
    public var crashes = 0
    /// Older copies of databases that people put back.
    public var restored = 0
    /// Acknowledged changes that were lost to their nodes by that.
    public var setBack = 0
    /// Those of them that others held, which everybody must hold in the end.
    public var demanded = 0
    /// Hostile copies of nodes.
    public var copies = 0
    /// Branches of replicas that were found.
    public var forks = 0
    /// Changes behind forks that their honest authors brought back into effect.
    public var adopted = 0
    /// Alarms that were raised, all of them due.
    public var alarms = 0
    /// Suspensions and reinstatements that were drafted.
    public var procedures = 0
    /// Receipts that were kept.
    public var receipts = 0
    /// What happened by decision of the scenario, by kind.
    public var decisions: [Decision.Kind: Int] = [:]
    /// Times that a store failed because its disk did.
    public var storeFailures = 0
    /// Operations of disks that failed.
    public var diskFailures = 0
    /// Writes that a loss of power lost before they were synced.
    public var droppedWrites = 0
    /// Writes of which a loss of power left parts.
    public var tornWrites = 0
    /// Loads that a courier brought.
    public var couriers = 0
    /// Volumes of theirs that were refused because they were damaged.
    public var refusedVolumes = 0
    /// Nodes that were revoked by their members.
    public var revocations = 0
    /// Bundles of a later version, which were refused as such.
    public var laterBundles = 0
    /// Attempts to connect that a firewall refused.
    public var refusedDials = 0
    /// Nodes that went to the next version, or back from it.
    public var upgrades = 0
    /// Changes that only the next version knows.
    public var laterChanges = 0
    /// What a node that means ill did.
    public var mischief = 0
    /// Frames that were lost and sent again.
    public var lost = 0
    /// Frames that arrived.
    public var frames = 0
    /// Bytes that were sent.
    public var bytes = 0
    /// Simulated milliseconds.
    public var milliseconds: Int64 = 0
    /// In how many runs a check was judged that not every run judges.
    public var judged: [ConditionalCheck: Int] = [:]
    /// Nodes that did not have to come to hold the same as the others, by why.
    public var excused: [Excuse: Int] = [:]

    /// Nothing yet.
    public init() {}

    mutating func add(_ other: SimulationFigures) {
        seeds += other.seeds
        changes += other.changes
        refusals += other.refusals
        conflicts += other.conflicts
        deleted += other.deleted
        connections += other.connections
        disconnects += other.disconnects
        crashes += other.crashes
        restored += other.restored
        setBack += other.setBack
        demanded += other.demanded
        copies += other.copies
        forks += other.forks
        adopted += other.adopted
        alarms += other.alarms
        procedures += other.procedures
        receipts += other.receipts
        decisions.merge(other.decisions) { $0 + $1 }
        storeFailures += other.storeFailures
        diskFailures += other.diskFailures
        droppedWrites += other.droppedWrites
        tornWrites += other.tornWrites
        couriers += other.couriers
        refusedVolumes += other.refusedVolumes
        revocations += other.revocations
        laterBundles += other.laterBundles
        refusedDials += other.refusedDials
        upgrades += other.upgrades
        laterChanges += other.laterChanges
        mischief += other.mischief
        lost += other.lost
        frames += other.frames
        bytes += other.bytes
        milliseconds += other.milliseconds
        judged.merge(other.judged) { $0 + $1 }
        excused.merge(other.excused) { $0 + $1 }
    }

    /// In several lines of fixed columns.
    public var table: [String] {
        let numbers: [(String, Int)] = [
            ("seeds", seeds), ("simulated hours", Int(milliseconds / 3_600_000)), ("changes", changes),
            ("refusals", refusals), ("conflicts at the end", conflicts), ("deleted at the end", deleted),
            ("connections", connections), ("connections cut", disconnects), ("frames", frames),
            ("frames lost", lost), ("bytes", bytes), ("deaths of nodes", crashes),
            ("copies put back", restored), ("changes set back", setBack), ("of these demanded", demanded),
            ("hostile copies", copies), ("branches found", forks),
            ("changes adopted", adopted), ("alarms", alarms), ("acts drafted", procedures),
            ("receipts", receipts), ("store failures", storeFailures),
            ("disk operations failed", diskFailures),
            ("writes dropped", droppedWrites), ("writes torn", tornWrites), ("couriers", couriers),
            ("volumes refused", refusedVolumes), ("nodes revoked", revocations),
            ("later bundles refused", laterBundles), ("dials refused", refusedDials),
            ("changes of version", upgrades), ("changes of later kinds", laterChanges),
            ("mischief", mischief),
        ]
        let kinds = Decision.Kind.allCases.map { ("decision \($0.rawValue)", decisions[$0] ?? 0) }
        let columns = (numbers + kinds).map { name, number in
            name.padding(toLength: 26, withPad: " ", startingAt: 0) + "\(number)"
        }
        return columns + judgements
    }

    /// In several lines, in how many runs each check was judged that not every run judges, and who was excused.
    private var judgements: [String] {
        ConditionalCheck.allCases.map { "\($0.rawValue): judged in \(judged[$0] ?? 0) of \(seeds) runs" }
            + Excuse.allCases.map { "nodes excused, as \($0.rawValue): \(excused[$0] ?? 0)" }
    }

    /// In one line.
    public var summary: String {
        "seeds \(seeds), changes \(changes), refusals \(refusals), conflicts \(conflicts), connections \(connections), deaths "
            + "\(crashes), store failures \(storeFailures), torn \(tornWrites), dropped \(droppedWrites), forks \(forks), "
            + "couriers \(couriers), mischief \(mischief), frames \(frames), bytes \(bytes), simulated seconds "
            + "\(milliseconds / 1000)"
    }
}
