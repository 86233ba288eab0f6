// The local API: HTTP and JSON on a Unix socket in the home folder, for `concord` and for scripts of the
// people who may open the socket. Contract: Protocol/admin-api.yaml.
//
// Only the process that holds the home's lock serves it, so a socket that is found there is a dead one and is
// removed.

import ConcordModel
import Glibc
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// Serves the local API until graceful shutdown.
public struct LocalAPIServer: Service {
    private let lock: HomeLock
    private let routes: LocalAPIRoutes
    private let access: AccessPolicy
    private let logger: Logger
    private let onServing: @Sendable () async -> Void

    /// A server on the home that `lock` holds.
    ///
    /// - Parameters:
    ///   - certificates: The care of the node's certificates; without it there are no routes for that.
    ///   - bundles: Bundles; without it there are no routes for them.
    ///   - access: Which of the machine's users may do what.
    ///   - onServing: Called once, when requests are answered.
    public init(
        lock: HomeLock, services: any NodeServices, peers: any PeerServices,
        certificates: (any CertificateServices)? = nil, bundles: (any BundleServices)? = nil,
        access: AccessPolicy = AccessPolicy(), logger: Logger,
        onServing: @escaping @Sendable () async -> Void = {}
    ) {
        self.lock = lock
        self.logger = logger
        self.onServing = onServing
        self.access = access
        routes = LocalAPIRoutes(
            services: services, peers: peers, certificates: certificates, bundles: bundles)
    }

    /// Serves until graceful shutdown or cancellation, then removes the socket.
    ///
    /// - Throws: ``ConcordError`` E-5005 if the socket cannot be made.
    public func run() async throws {
        let path = lock.home.socket
        guard path.utf8.count <= LocalAPILimits.socketPathBytes else {
            throw ConcordError(
                .unwritableHome,
                "the path \(path) has \(path.utf8.count) bytes; a socket's may have \(LocalAPILimits.socketPathBytes)",
                action: "choose a home with a shorter path")
        }
        let router = Router(context: APIContext.self)
        router.middlewares.add(ErrorMiddleware())
        router.middlewares.add(
            AccessMiddleware(
                policy: access, daemon: geteuid(), socketGroup: Self.groupOfNewFiles(beside: path)))
        for entry in access.unknownEntries {
            logger.warning("access names nobody on this machine", metadata: ["entry": "\(entry)"])
        }
        routes.add(to: router)
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .notice)
        let application = Application(
            responder: router.buildResponder(),
            configuration: ApplicationConfiguration(address: .unixDomainSocket(path: path)),
            onServerRunning: { _ in
                if chmod(path, 0o660) != 0 {
                    logger.report(FileSystem.refusal(.unwritableHome, "the mode of \(path) cannot be set"))
                }
                logger.info("the local API is served", metadata: ["socket": "\(path)"])
                await onServing()
            },
            logger: quiet)
        do {
            try await application.run()
        } catch let error as IOError {
            throw ConcordError(.unwritableHome, "the socket \(path) cannot be made: \(error)")
        }
        unlink(path)
    }

    /// The group that the socket will have: that of its folder if the folder hands it down, else the daemon's.
    private static func groupOfNewFiles(beside path: String) -> gid_t {
        var information = stat()
        let folder = FileSystem.parent(of: path)
        let isHandedDown = stat(folder, &information) == 0 && information.st_mode & S_ISGID != 0
        return isHandedDown ? information.st_gid : getegid()
    }
}
