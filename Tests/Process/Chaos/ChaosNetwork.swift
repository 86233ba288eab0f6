// Five nodes of five members, each with a proxy of its own by which it dials the others: so any two can be kept apart,
// in both directions or in one. Where the tests may mount, each home is a small disk of its own, which can be filled.

import ConcordAPI
import ConcordClient
import Foundation
import ShapedLink
import TestProxy
import Testing

/// The nodes and what is between them.
final class ChaosNetwork {
    /// One node with its surroundings.
    struct Place {
        let node: Node
        let proxy: TestProxy
        /// The link behind which the node is, if it is in the field.
        let link: ShapedLink?
        let disk: SmallDisk?

        var client: DaemonClient { DaemonClient(socket: node.home + "/concord.sock") }

        /// Changes who may do what with the home and everything in it.
        func setMode(_ mode: String) async throws {
            let output = try await run("/bin/chmod", ["-R", mode, node.home])
            try #require(output.status == 0, "\(output)")
        }
    }

    static let members = ["ESP", "DEU", "NAM", "CHL", "FIN"]

    private let scene: Scene
    /// As whom the daemons run where root runs the tests: root may do whatever modes say.
    let user: OtherUser?
    private(set) var places: [Place] = []

    init() async throws {
        scene = try Scene()
        user = await OtherUser.whereRoot()
        for (number, member) in Self.members.enumerated() {
            places.append(try await makePlace(member, isInTheField: number == Self.members.count - 1))
        }
        for place in places { try await start(place) }
        try await scene.found(places[0].node, places.dropFirst().map(\.node))
    }

    private func makePlace(_ member: String, isInTheField: Bool) async throws -> Place {
        let name = member.lowercased()
        let disk = SmallDisk.isPossible ? try SmallDisk(at: scene.path(name), bytes: 160 << 20) : nil
        let node = try await scene.makeNode(name, member: member)
        let proxy = try await TestProxy.open(.grant())
        var way = proxy.port
        var link: ShapedLink?
        if isInTheField {
            let shape = LinkShape(bitsPerSecond: 256_000, roundTrip: .milliseconds(300), loss: 0.01)
            link = try await ShapedLink.open(shape, to: proxy.port)
            way = link?.port ?? way
        }
        try """
        listen: ["127.0.0.1:\(node.port)"]
        proxy: "http://127.0.0.1:\(way)"

        """.write(toFile: node.home + "/concord.yaml", atomically: true, encoding: .utf8)
        try "0".write(toFile: scene.path("\(name).clock"), atomically: true, encoding: .utf8)
        try Data().write(to: URL(fileURLWithPath: node.home + "/daemon.log"))
        try await user?.own(node.home)
        return Place(node: node, proxy: proxy, link: link, disk: disk)
    }

    /// Whether modes keep a daemon here from writing.
    var heedsModes: Bool { user != nil || getuid() != 0 }

    func start(_ place: Place) async throws {
        try await place.node.start(
            environment: [
                "CONCORD_TEST_CLOCK": scene.path("\(place.node.name).clock"), "CONCORD_STORAGE_RESERVE": "0",
            ], as: user)
    }

    /// Starts a daemon that is expected to end by itself.
    func attemptStart(_ place: Place) async throws -> Output {
        try await place.node.attemptStart(as: user)
    }

    /// Sets a node's clock wrong by so many milliseconds.
    func setClock(of place: Place, by milliseconds: Int64) throws {
        try "\(milliseconds)".write(
            toFile: scene.path("\(place.node.name).clock"), atomically: true, encoding: .utf8)
    }

    /// Keeps the nodes of each group from those of all others; in groups of everybody nobody is apart.
    func partition(_ groups: [Set<Int>]) {
        for (number, place) in places.enumerated() {
            let near = groups.first { $0.contains(number) } ?? []
            place.proxy.block(Set(places.indices.filter { !near.contains($0) }.map { places[$0].node.port }))
        }
    }

    /// Lets nobody dial this node, which may dial the others.
    func shieldFromDialling(_ number: Int) {
        for place in places { place.proxy.block([places[number].node.port]) }
    }

    func heal() { partition([Set(places.indices)]) }

    /// Waits until all see the same.
    func waitForEqualDigests() async throws {
        try await eventually("all digests are equal", seconds: 120) {
            var digests: Set<String> = []
            for place in self.places {
                let digest = try await place.client.digest(space: "Test").document
                digests.insert("\(digest.digest) \(digest.changes)")
            }
            return digests.count == 1
        }
    }
}
