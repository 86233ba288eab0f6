// The file that a new home gets: every key with what it does, so that nobody needs another page to change
// one.

extension Configuration {
    /// The text of a new concord.yaml.
    static func sample(listen: [NodeAddress], addresses: [NodeAddress], passphraseFile: String? = nil)
        -> String
    {
        """
        # Configuration of this Concord node. Unknown keys are refused. Restart the daemon after a change.
        # Environment variables override a key: CONCORD_LISTEN, CONCORD_LOG_LEVEL, CONCORD_ACCESS_READERS and so on;
        # entries of lists are separated by commas.

        # Where this node listens for other nodes, as host:port or "[IPv6]:port". [] for a node that only dials out.
        \(list("listen", listen))

        # Where other nodes reach this one, if that is not where it listens. They are told, and invites carry it.
        \(list("addresses", addresses))

        # Nodes to dial, besides those that are known from invites and from `concord peer add`.
        \(list("peers", []))

        # The HTTP proxy by which all of them are dialled, if there is no other way out.
        # proxy: "http://user:password@proxy.example.org:3128"

        # trace, debug, info, notice, warning, error or critical
        log_level: info

        # logfmt or json, one event a line on standard error
        log_format: logfmt

        # When the files of attachments are fetched: eager, as soon as a document has one, or on-demand, when somebody asks
        # for it with `concord attachment get`, as suits a laptop on a thin link.
        blobs: eager

        # Files larger than this are fetched on demand in any case; with or without a unit, such as 20MB or 1 GiB.
        blobs_eager_limit: 256 MiB

        # How much of the disk stays free: below twice as much no attachment is stored, below it nothing is written. What
        # deletes and erases still works, and everything goes on by itself when there is room again.
        storage:
          reserve: 64 MiB

        # Backups that the daemon makes and verifies by itself: how often (6h, 1d, … or off), in which folder (this one's
        # backups/ unless another disk is named, which is better), and of how many days and weeks the latest is kept.
        backup:
          every: 1d
          # folder: /srv/backup/concord
          keep_days: 7
          keep_weeks: 4

        # Where the private keys are, if not in identity/ here or among systemd's credentials (node.key, agreement.key,
        # passphrase): a file, or a URI such as pkcs11:token=concord;object=node;type=private with the OpenSSL provider
        # that knows it.
        identity:
          # signing_key: "pkcs11:token=concord;object=node;type=private"
          # agreement_key: "pkcs11:token=concord;object=agreement;type=private"
          # provider: pkcs11
          # provider_configuration: /etc/concord/openssl.cnf
          # provider_properties: "provider=pkcs11"
          \(passphraseFile.map { "passphrase_file: \(quoted($0))" } ?? "# passphrase_file: /etc/concord/passphrase")

        # Who may use the local socket: users, @groups. Administrators may do everything, editors read and write
        # records, readers read. The daemon's own user and root are always administrators. Without any list the
        # members of the socket's group are editors; with one, only those listed may do anything.
        access:
          # administrators: ["@concord-admin"]
          # editors: ["@concord"]
          # readers: [auditor]

        """
    }

    /// A text as a double-quoted scalar of YAML.
    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    private static func list(_ key: String, _ addresses: [NodeAddress]) -> String {
        guard !addresses.isEmpty else { return "\(key): []" }
        return "\(key):\n" + addresses.map { "  - \"\($0)\"" }.joined(separator: "\n")
    }
}
