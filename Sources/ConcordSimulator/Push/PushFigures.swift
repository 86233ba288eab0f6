// What a push simulation counts.

import ConcordModel
import ConcordSync

/// What is counted while a network runs.
struct PushFigures {
    /// The names of message types, in the order in which they are shown.
    static let names: [(type: UInt64, name: String)] = [
        (3, "changes"), (4, "acknowledge"), (21, "announce"), (22, "want"), (20, "flow"), (1, "summary"),
        (2, "vector"),
        (23, "sketch"), (0, "hello"), (7, "ping"), (8, "pong"), (9, "receipts"), (5, "error"), (6, "goodbye"),
    ]

    /// One part of a run.
    struct Part {
        var bytes: [UInt64: Int] = [:]
        var frames: [UInt64: Int] = [:]
        /// How often each change arrived.
        var arrivals: [Dot: Int] = [:]
        /// How long after it was written a change was applied at a node.
        var delays: [Int64] = []
        /// Until when a change took to reach the last node.
        var last: [Dot: Int64] = [:]

        var totalBytes: Int { bytes.values.reduce(0, +) }
    }

    /// How the space is named on the wire.
    private var names = SpaceNames()
    var part = Part()
    var cuts = 0
    var failures = 0
    private(set) var mostPeers = 0
    private var writtenAt: [Dot: Int64] = [:]
    /// The changes of this part.
    private(set) var changes: Set<Dot> = []
    /// Counts what reaches this node alone; nil for all.
    var onlyNode: Int?

    init(space: SpaceID) { names.share([space]) }

    /// Begins to count anew.
    mutating func begin(onlyNode: Int? = nil) {
        part = Part()
        changes = []
        self.onlyNode = onlyNode
    }

    mutating func sent(_ frame: [UInt8]) {
        // The type stands behind the head of the array: one byte, and one more from 24 on, which there is not.
        guard frame.count > 1, frame[1] < 24 else { return }
        // Packed frames are changes.
        let type: UInt64 = frame[1] == 10 ? 3 : UInt64(frame[1])
        part.bytes[type, default: 0] += names.shortened(frame).count + PushBounds.frameOverhead
        part.frames[type, default: 0] += 1
    }

    mutating func written(_ dot: Dot, at time: Int64) {
        writtenAt[dot] = time
        changes.insert(dot)
    }

    mutating func received(_ dot: Dot, at node: Int) {
        if let onlyNode, onlyNode != node { return }
        part.arrivals[dot, default: 0] += 1
    }

    mutating func applied(_ dot: Dot, at time: Int64) {
        guard changes.contains(dot), let written = writtenAt[dot] else { return }
        part.delays.append(time - written)
        part.last[dot] = max(part.last[dot] ?? 0, time - written)
    }

    mutating func peers(_ count: Int) { mostPeers = max(mostPeers, count) }
}
