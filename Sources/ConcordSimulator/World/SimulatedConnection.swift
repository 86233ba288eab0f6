// A connection between two nodes: two real sessions and, in each direction, bytes that take their time and
// arrive in order, until something cuts them off.

import ConcordModel
import ConcordSync

/// One end of a connection.
struct ConnectionEnd: Sendable {
    let node: Int
    var session: Session
    /// What the session asked its store for and has not got.
    var tasks: [SessionEffect] = []
    var isWorking = false
    /// Frames on their way to the other end; nil stands for the end of the stream.
    var outbox: [(arrival: Int64, frame: [UInt8]?)] = []
    /// When the last byte that was sent has left.
    var lineFreeAt: Int64 = 0
    var lastArrival: Int64 = 0
    /// Frames that have not left: when they do, and their size.
    var leaving: [(at: Int64, count: Int)] = []
    var isWritable = true
    var isOver = false
    var tickAt = Int64.max
    var progress: Progress?
    var roundTrips = 0
    /// Frames of changes that the other end has not acknowledged, with their size.
    var unacknowledged: [(last: VersionVector, count: Int)] = []

    var queuedBytes: Int { leaving.reduce(0) { $0 + $1.count } }
    var unacknowledgedBytes: Int { unacknowledged.reduce(0) { $0 + $1.count } }
}

/// A connection.
struct SimulatedConnection: Sendable {
    /// Above this many bytes that wait to leave, an end takes no more.
    static let highWater = 256 << 10

    let link: Int
    var ends: [ConnectionEnd]
    /// Whether nothing arrives any more.
    var isCut = false

    func side(of node: Int) -> Int? { ends.firstIndex { $0.node == node } }
}

/// Two nodes that connect to each other whenever they can.
struct SimulatedLink: Sendable {
    let nodes: (Int, Int)
    /// The connection that stands.
    var connection: Int?
    /// How often in a row the two did not know each other.
    var refusals = 0
    /// A partition keeps the two apart until then.
    var blockedUntil: Int64 = 0
    /// New connections are refused until then.
    var refusedUntil: Int64 = 0
    /// Until when one of the two, by its place, cannot dial the other, which can dial it.
    var firewall: (refused: Int, until: Int64)?
    /// What each of the two sends arrives then at the earliest.
    var stalledUntil: [Int64] = [0, 0]

    /// Nothing is in the way any more, save a firewall: it need not go for the two to connect.
    mutating func heal() {
        blockedUntil = 0
        refusedUntil = 0
        stalledUntil = [0, 0]
    }
}
