// A daemon's home folder: where everything of one node stands. The names of the files are given here and
// nowhere else. Keys are 0600 and never written over; the authority's key is never here.

import ConcordModel
import Glibc

/// A home folder, which need not exist yet.
public struct NodeHome: Hashable, Sendable {
    /// The folder.
    public let path: String

    /// The home in this folder.
    public init(path: String) {
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    /// The home that a command means: the option, then `$CONCORD_HOME`, then `/var/lib/concord` where that
    /// folder exists, then `~/.concord/home`.
    public static func resolve(option: String?, environment: [String: String]) -> NodeHome {
        for candidate in [option, environment["CONCORD_HOME"]] {
            if let candidate, !candidate.isEmpty { return NodeHome(path: candidate) }
        }
        let system = "/var/lib/concord"
        if FileSystem.isFolder(system) { return NodeHome(path: system) }
        return NodeHome(path: "\(personalFolder(environment: environment))/home")
    }

    /// `~/.concord`, with the home of the process's user where `$HOME` is not set.
    static func personalFolder(environment: [String: String]) -> String {
        if let home = environment["HOME"], !home.isEmpty { return "\(home)/.concord" }
        return "\(UserAccount.of(getuid())?.home ?? "/")/.concord"
    }

    /// `concord.yaml`.
    public var configuration: String { "\(path)/concord.yaml" }
    /// The replica.
    public var database: String { "\(path)/replica.db" }
    /// Says why the replica was found damaged, until it is sound again.
    public var damageMark: String { "\(path)/replica.db-damage" }
    /// The folder of automatic backups, unless configured otherwise.
    public var backups: String { "\(path)/backups" }
    /// Where damaged replicas are moved.
    public var damaged: String { "\(path)/damaged" }
    /// Changes that were salvaged and wait for others.
    public var salvaged: String { "\(path)/salvaged.changes" }
    /// The folder of attachments.
    public var blobs: String { "\(path)/blobs" }
    /// The local API.
    public var socket: String { "\(path)/concord.sock" }
    /// The file that a running daemon holds locked.
    public var lockFile: String { "\(path)/lock" }
    /// The folder of keys and certificates.
    public var identityFolder: String { "\(path)/identity" }
    /// The folder of the keys for which certificates are asked, until they are installed.
    public var requestFolder: String { "\(path)/identity.request" }

    /// The paths of keys and certificates, in this home or in a folder that is about to become its identity.
    struct IdentityFiles {
        let folder: String
        var nodeCertificate: String { "\(folder)/node.pem" }
        var agreementCertificate: String { "\(folder)/agreement.pem" }
        var authorityCertificate: String { "\(folder)/authority.pem" }
        /// Only where the member has replaced its authority's key.
        var foundingCertificate: String { "\(folder)/founding.pem" }

        var nodeKey: String { key(.signing) }
        var agreementKey: String { key(.agreement) }

        func key(_ role: KeyRole) -> String { "\(folder)/\(role.fileName)" }

        /// What was asked for, in a folder that waits for certificates.
        var request: String { "\(folder)/request.csr" }

        /// All of them.
        var all: [String] {
            KeyRole.allCases.map(key) + [
                nodeCertificate, agreementCertificate, authorityCertificate, foundingCertificate, request,
            ]
        }
    }

    var identityFiles: IdentityFiles { IdentityFiles(folder: identityFolder) }
    /// The keys of a node that has asked for certificates and has none yet.
    var requestFiles: IdentityFiles { IdentityFiles(folder: requestFolder) }

    /// Whether a node's identity stands here.
    public var hasIdentity: Bool { FileSystem.exists(identityFolder) }
    /// Whether certificates have been asked for and not yet been installed.
    public var hasRequest: Bool { FileSystem.exists(requestFolder) }

    /// Makes the home (0750) and its folder of attachments unless they are there, and checks that they can be
    /// written.
    ///
    /// - Throws: ``ConcordError`` E-5005.
    public func prepare() throws {
        try FileSystem.makeFolder(path, mode: 0o750, failure: .unwritableHome)
        guard access(path, W_OK | X_OK) == 0 else {
            throw FileSystem.refusal(.unwritableHome, "\(path) cannot be written")
        }
        try FileSystem.makeFolder(blobs, mode: 0o750, failure: .unwritableHome)
    }
}
