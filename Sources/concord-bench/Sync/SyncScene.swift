// Two daemons that share a space, as the measurements of the exchange need them: Madrid listens, Berlin dials. What is
// waited for is read in their databases; what is said in the end was verified by equal digests.

import Foundation
import ShapedLink

/// Two nodes of two members.
final class SyncScene {
    let network: BenchNetwork
    let madrid: BenchNode
    let berlin: BenchNode
    /// The link by which Berlin reaches Madrid, if there is one between them.
    let link: ShapedLink?

    /// Makes both, starts Madrid and founds the space there.
    ///
    /// - Parameter shape: what the link between the two is like; nil for a connection without any.
    init(network: BenchNetwork, over shape: LinkShape? = nil) async throws {
        self.network = network
        let port = try network.freePort()
        var configuration: [String] = []
        if let shape {
            let link = try await ShapedLink.open(shape, to: port)
            configuration.append("addresses: [\"127.0.0.1:\(link.port)\"]")
            self.link = link
        } else {
            link = nil
        }
        madrid = try await network.makeNode(
            "madrid", member: "ESP", port: port, configuration: configuration)
        berlin = try await network.makeNode(
            "berlin", member: "DEU", listening: false, configuration: ["blobs: on-demand"])
        try await madrid.start()
        try await network.found(madrid)
    }

    /// Starts Berlin and lets it join; returns once it holds what Madrid holds, with the milliseconds since it was told to.
    func join() async throws -> Double {
        try await berlin.start()
        let invite = try await network.admit(berlin, by: madrid)
        let count = try ReplicaWatch(madrid).changes()
        let watch = try ReplicaWatch(berlin)
        let start = ContinuousClock.now
        let client = berlin.client
        _ = try await client.join(invite: invite)
        let milliseconds = try watch.waitForChanges(count, since: start)
        try await verify()
        return milliseconds
    }

    /// Ends the exchange of the two until ``reunite()``.
    func separate() async throws {
        try await verify()
        _ = try await berlin.client.pause(member: nil)
        try await eventually("the two are apart") {
            try await self.madrid.client.status().document.peers.allSatisfy { $0.state != .connected }
        }
    }

    /// Lets the two exchange again; returns the milliseconds until both hold what either holds.
    func reunite() async throws -> Double {
        let (near, far) = (try ReplicaWatch(madrid), try ReplicaWatch(berlin))
        // What both held before they parted is counted once.
        let (ours, theirs) = (try near.changes(), try far.changes())
        let total = ours + theirs - common
        let start = ContinuousClock.now
        _ = try await berlin.client.resume(member: nil)
        try far.waitForChanges(total, since: start)
        let milliseconds = try near.waitForChanges(total, since: start)
        try await verify()
        return milliseconds
    }

    /// How many changes both held when they were last compared.
    private(set) var common = 0

    /// Waits until both see the same.
    ///
    /// - Throws: ``BenchError`` if that does not come about.
    func verify() async throws {
        try await eventually("the digests are equal") {
            let (near, far) = (try await self.madrid.digest(), try await self.berlin.digest())
            self.common = Int(near.changes)
            return near.digest == far.digest && near.changes == far.changes
        }
    }

    /// Bytes of frames between the two in both directions since Madrid's daemon started.
    func frameBytes() async throws -> Int {
        let traffic = try await madrid.traffic()
        return traffic.sent + traffic.received
    }
}

/// Asks again and again until the answer is yes.
///
/// - Throws: ``BenchError`` if it is not within `seconds`.
func eventually(_ what: String, seconds: Double = 60, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw BenchError("not within \(seconds) s: \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}
