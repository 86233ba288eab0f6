// What goes wrong, one thing at a time: it begins, lasts a while under load, and ends.

import ConcordClient
import Foundation
import Testing

/// Something that goes wrong.
enum ChaosFault: String, CaseIterable {
    /// A daemon is ended by SIGKILL and started again.
    case kill
    /// All daemons are ended by SIGKILL at once, as when a data centre loses its power.
    case killAll
    /// A daemon is stopped by SIGSTOP, its sockets stay open.
    case stop
    /// One node is cut off.
    case isolate
    /// The network falls into two parts.
    case split
    /// One node cannot be dialled any more, and goes on dialling.
    case oneWay
    /// A disk is full.
    case fullDisk
    /// A daemon may write no file any further, which is what a quota does.
    case quota
    /// Nobody may write in a home any more; a daemon that is ended then does not start before that is given back.
    case permissions
    /// A clock jumps by a day, forwards or back.
    case clock

    /// Lets it happen to a node, or to more of them.
    func begin(_ network: ChaosNetwork, at number: Int) async throws {
        let place = network.places[number]
        switch self {
        case .kill: place.node.kill()
        case .killAll: for place in network.places { place.node.kill() }
        case .stop: Foundation.kill(place.node.identifier, SIGSTOP)
        case .isolate: network.partition([[number], Set(network.places.indices).subtracting([number])])
        case .split:
            let half: Set = [number, (number + 1) % network.places.count]
            network.partition([half, Set(network.places.indices).subtracting(half)])
        case .oneWay: network.shieldFromDialling(number)
        case .fullDisk: try place.disk?.fill()
        case .quota: try FileLimit(of: place.node, as: network.user).set(4096)
        case .permissions:
            try await place.setMode("a-w")
            place.node.kill()
            let output = try await network.attemptStart(place)
            try #require(output.status == 1 && output.standardError.contains("E-5005"), "\(output)")
        case .clock: try network.setClock(of: place, by: number.isMultiple(of: 2) ? 86_400_000 : -86_400_000)
        }
    }

    /// Ends it.
    func end(_ network: ChaosNetwork, at number: Int) async throws {
        let place = network.places[number]
        switch self {
        case .kill: try await network.start(place)
        case .killAll: for place in network.places { try await network.start(place) }
        case .stop: Foundation.kill(place.node.identifier, SIGCONT)
        case .isolate, .split, .oneWay: network.heal()
        case .fullDisk: try place.disk?.empty()
        case .quota: try FileLimit(of: place.node, as: network.user).lift()
        case .permissions:
            try await place.setMode("u+w")
            try await network.start(place)
        case .clock: try network.setClock(of: place, by: 0)
        }
    }

    /// Whether it can be brought about here: a small disk takes the right to mount one, and modes mean nothing to root.
    func isPossible(in network: ChaosNetwork) -> Bool {
        switch self {
        case .fullDisk: SmallDisk.isPossible
        case .permissions: network.heedsModes
        default: true
        }
    }

    /// Whether writing at the node must be refused while it lasts, with a code.
    var refusesWrites: Bool { self == .fullDisk || self == .quota }
}
