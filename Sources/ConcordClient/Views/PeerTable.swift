// The table of peers at the end of the status, and of `peer list`: the worst first, then by code.

import ConcordAPI

/// A table of peers.
public struct PeerTable {
    private let peers: [StatusDocument.Peer]
    private let now: String
    private let style: TextStyle

    /// The peers of a status.
    public init(_ status: StatusDocument, style: TextStyle = .plain) {
        self.init(status.peers, now: status.at, style: style)
    }

    /// These peers, seen at the moment `now`.
    public init(_ peers: [StatusDocument.Peer], now: String, style: TextStyle = .plain) {
        self.peers = peers.sorted { Self.key($0) < Self.key($1) }
        self.now = now
        self.style = style
    }

    private static func key(_ peer: StatusDocument.Peer) -> (Int, String, String, String) {
        (peer.standing.rawValue, peer.member ?? "~", peer.node ?? "", peer.address ?? "")
    }

    /// The lines of the table; none if there are no peers. With a limit, a last line says how many were left
    /// out.
    public func lines(limit: Int? = nil) -> [String] {
        guard !peers.isEmpty else { return [] }
        var table = Table([
            .text("MEMBER", minimum: 12), .text("NODE"), .text("ROAD", minimum: 6), .fixed("HEARD"),
            .number("THEY LACK"),
            .number("WE LACK"), .number("RTT"), .fixed("REACH"), .text("NOTE", minimum: 6),
        ])
        let shown = limit.map { peers.prefix($0) } ?? peers[...]
        for peer in shown { table.append(cells(peer)) }
        var lines = table.lines(style: style)
        if shown.count < peers.count {
            let rest = peers.dropFirst(shown.count)
            let inStep = rest.count { $0.standing == .inStep }
            lines.append("… and \(rest.count) more, \(inStep) of them in step → concord status --all")
        }
        return lines
    }

    private func cells(_ peer: StatusDocument.Peer) -> [String] {
        let member = peer.member.map { code in peer.memberName.map { "\(code) \($0)" } ?? code } ?? "?"
        let road: String
        switch peer.road.kind {
        case "relay": road = "via \(peer.road.via ?? "?")"
        case "none": road = "–"
        default: road = peer.road.kind
        }
        return [
            member, peer.node ?? peer.address ?? "?", road, heard(peer), Quantity.lack(peer.theyLack),
            Quantity.lack(peer.weLack), peer.roundTripMilliseconds.map(Self.roundTrip) ?? "–", peer.reach,
            note(peer),
        ]
    }

    private func heard(_ peer: StatusDocument.Peer) -> String {
        Moment.seconds(from: peer.lastHeardAt, to: now).map(Quantity.span(seconds:)) ?? "?"
    }

    private static func roundTrip(_ milliseconds: Double) -> String {
        milliseconds < 9.95
            ? "\((milliseconds * 10).rounded() / 10) ms"
            : "\(Quantity.count(Int64(milliseconds.rounded()))) ms"
    }

    private func note(_ peer: StatusDocument.Peer) -> String {
        if peer.standing == .indirect { return "not met directly" }
        let code = peer.state == .connected ? nil : peer.lastError?.code
        let word = peer.state == .connected ? "" : peer.state.rawValue
        return [word, code ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
    }
}
