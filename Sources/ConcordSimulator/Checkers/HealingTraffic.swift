// How much was sent after the faults ended, beside how much had to be: what nodes lacked then. Much more would be a storm.

import ConcordModel

/// What was lacking, and what was sent.
struct HealingTraffic: Sendable {
    /// Bytes of frames that were sent since the faults ended.
    var sent = 0
    /// What each node held when the faults ended, by its number.
    var held: [Int: VersionVector] = [:]
    /// Connections that were made before the faults ended.
    var connectionsBefore = 0

    /// What may be sent for one connection beside changes: its beginning, comparisons, what is announced.
    static let bytesPerConnection = 24 << 10
    /// How often what somebody lacks may be sent: to each at most once from each side, and in part while it is on its way.
    static let factor = 3

    /// What is wrong; nil if it was not too much.
    func fault(lacking: Int, connections: Int, seconds: Int) -> String? {
        let frames = connections * (Self.bytesPerConnection + 200 * seconds)
        let allowed = Self.factor * lacking + frames
        guard sent > allowed else { return nil }
        return "\(sent) bytes were sent after the faults ended, where \(lacking) were lacking"
            + " and \(connections) connections stood: \(allowed) are allowed"
    }
}
