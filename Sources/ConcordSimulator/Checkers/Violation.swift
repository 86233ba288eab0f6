// What a run can find.

/// An invariant that does not hold.
public struct Violation: Error, Hashable, Sendable {
    /// Which one.
    public let invariant: Invariant
    /// What was seen.
    public let detail: String

    /// The invariants. Some of them are judged only in runs where nothing excuses what they forbid, or in a share of the
    /// runs, since they take long: see ``ConditionalCheck``, whose runs are counted.
    public enum Invariant: String, Sendable {
        /// A change that was acknowledged to its author survives a crash.
        case writesSurvive = "a change that was acknowledged to its author survives a crash"
        /// A node acknowledges only what is durable there.
        case acknowledgedIsDurable = "a node acknowledges only what is durable there"
        /// What is queued and unacknowledged stays within its limits.
        case boundedQueues = "what is queued or unacknowledged stays within its limits"
        /// Honest nodes never find fault with each other.
        case noFaults = "honest nodes never find fault with each other"
        /// The store does what it is asked.
        case storeWorks = "the store does what it is asked"
        /// A write is refused only for a reason that people can cause.
        case onlyKnownRefusals = "a write is refused only for a reason that people can cause"
        /// Once healed, all nodes come to hold the same.
        case converges = "once healed, all nodes come to hold the same"
        /// Equal changes give equal digests.
        case equalDigests = "equal changes give equal digests"
        /// Equal changes give equal records.
        case equalRecords = "equal changes give equal records"
        /// Every acknowledged change is held everywhere.
        case nothingLost = "every acknowledged change is held everywhere, as it was written"
        /// No number of a chain stands for two changes, save where a replica was written in two places.
        case noDotTwice =
            "no number of a chain stands for two changes, save where a replica was written in two places"
        /// After its disk failed, a store remembers what its disk holds.
        case memoryIsDisk = "after its disk failed, a store remembers what its disk holds"
        /// Nobody asks for the time again and again before it has passed.
        case timePasses = "nobody asks for the time again and again before it has passed"
        /// What a change builds upon stands before it in every log.
        case causalOrder = "what a change builds upon stands before it in every log"
        /// A chain has no gaps.
        case noGaps = "a chain has no gaps"
        /// What people wrote is shown, save where somebody overrode it who had seen it.
        case editsShown = "what people wrote is shown, save where somebody overrode it who had seen it"
        /// Once healed, nodes send what is lacking and little besides.
        case noStorm = "once healed, nodes send what is lacking and little besides"
        /// A bundle of a later version is refused as such.
        case laterBundles = "a bundle of a later version is refused as such, and nothing is taken from it"
        /// A restored backup, and a fresh node that was given everything, see the same.
        case copiesEqual = "a restored backup, and a fresh node that was given everything, see the same"
        /// The log and the visible state of every node verify.
        case verifies = "the log and the visible state of every node verify"
    }
}
