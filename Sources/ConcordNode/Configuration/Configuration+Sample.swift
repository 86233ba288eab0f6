// The file that a new home gets: every key with what it does, so that nobody needs another page to change
// one.

extension Configuration {
    /// The text of a new concord.yaml.
    static func sample(listen: [NodeAddress], addresses: [NodeAddress]) -> String {
        """
        # Configuration of this Concord node. Unknown keys are refused. Restart the daemon after a change.
        # Environment variables override a key: CONCORD_LISTEN, CONCORD_ADDRESSES, CONCORD_PEERS (separated by commas),
        # CONCORD_LOG_LEVEL, CONCORD_LOG_FORMAT.

        # Where this node listens for other nodes, as host:port or "[IPv6]:port". [] for a node that only dials out.
        \(list("listen", listen))

        # Where other nodes reach this one, if that is not where it listens. They are told, and invites carry it.
        \(list("addresses", addresses))

        # Nodes to dial, besides those that are known from invites and from `concord peer add`.
        \(list("peers", []))

        # trace, debug, info, notice, warning, error or critical
        log_level: info

        # logfmt or json, one event a line on standard error
        log_format: logfmt

        """
    }

    private static func list(_ key: String, _ addresses: [NodeAddress]) -> String {
        guard !addresses.isEmpty else { return "\(key): []" }
        return "\(key):\n" + addresses.map { "  - \"\($0)\"" }.joined(separator: "\n")
    }
}
