// The bounds of what peers can make this node do, and the times that decide about connections.

/// What the part of the daemon that exchanges with peers allows itself.
enum PeerLimits {
    /// Addresses that are dialled because peers or records name them; those that a person gave come on top.
    static let toldAddresses = 256
    /// Addresses that all nodes of one member together can have this node dial.
    static let toldAddressesPerMember = 32
    /// The longest wait between two attempts at an address.
    static let longestWait = Duration.seconds(30)
    /// How long an address is left alone whose node had no place, as long as there are others.
    static let avoidanceOfFull = Duration.seconds(600)
    /// How long one is left alone that was not reached three times running, as long as there are others.
    static let avoidanceOfUnreachable = Duration.seconds(120)
    /// After so long without a session, in milliseconds, a node counts as a stranger, for whom there is always a place.
    static let strangerAfter: Int64 = 600_000
    /// A session that lasted so long makes the next wait short again. A peer that lets this node in only to
    /// send it away is thus met ever more seldom.
    static let steadySession = Duration.seconds(10)
    /// After so long without a word a connection gives way to a new one of the same peer. It is a ping (15 s)
    /// and ample time for its answer; the session itself waits longer before it ends.
    static let silenceOfDead = Duration.seconds(20)
    /// How long the last frames may take to leave, and then the connection to close, before nobody waits any
    /// more.
    static let flushTime = Duration.seconds(2)
    /// How often a peer's mere word that this node's replica is written elsewhere, too, is followed, in each space.
    static let leaveBehindInterval = Duration.seconds(3600)
    /// How long, in milliseconds, after a receipt could not be made or stored, another is tried.
    static let receiptRetry: Int64 = 60_000
}
