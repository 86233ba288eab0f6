// The local API: HTTP and JSON on a Unix socket in the home folder, for `concord` and for scripts of the
// people who may open the socket. Contract: Protocol/admin-api.yaml.
//
// Only the process that holds the home's lock serves it, so a socket that is found there is a dead one and is
// removed.
//
// Hummingbird's server is run by itself, without its Application, which wakes the process each second for the date that
// it puts into its answers.

import ConcordModel
import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
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
        let responder = router.buildResponder()
        do {
            let server = try HTTPServerBuilder.http1().buildServer(
                configuration: ServerConfiguration(address: .unixDomainSocket(path: path)),
                eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet
            ) { [quiet] request, writer, channel in
                let context = APIContext(source: .init(channel: channel, logger: quiet))
                var response = try await responder.respond(to: request, context: context)
                response.headers[.date] = Self.date()
                try await writer.write(response: response.head, body: response.body)
            } onServerRunning: { _ in
                if chmod(path, 0o660) != 0 {
                    logger.report(FileSystem.refusal(.unwritableHome, "the mode of \(path) cannot be set"))
                }
                logger.info("the local API is served", metadata: ["socket": "\(path)"])
                await onServing()
            }
            try await server.run()
        } catch let error as IOError {
            throw ConcordError(.unwritableHome, "the socket \(path) cannot be made: \(error)")
        }
        unlink(path)
    }

    /// The time as RFC 9110, section 5.6.7, writes it.
    private static func date() -> String {
        var (seconds, moment) = (time(nil), tm())
        gmtime_r(&seconds, &moment)
        var text = [UInt8](repeating: 0, count: 32)
        let count = text.withUnsafeMutableBytes { buffer in
            strftime(
                buffer.assumingMemoryBound(to: CChar.self).baseAddress, buffer.count,
                "%a, %d %b %Y %H:%M:%S GMT", &moment)
        }
        return String(decoding: text.prefix(count), as: UTF8.self)
    }

    /// The group that the socket will have: that of its folder if the folder hands it down, else the daemon's.
    private static func groupOfNewFiles(beside path: String) -> gid_t {
        var information = stat()
        let folder = FileSystem.parent(of: path)
        let isHandedDown = stat(folder, &information) == 0 && information.st_mode & S_ISGID != 0
        return isHandedDown ? information.st_gid : getegid()
    }
}
