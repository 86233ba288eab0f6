// Who is on the other end of the Unix socket, as the kernel says it. Nothing that the caller sends is trusted
// for this.

import Glibc
import Hummingbird
import NIOCore

/// What a route knows besides the request.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    private let channel: any Channel
    private var known: LocalCaller?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// The name of the calling user, which becomes the author label of what is written; `uid N` for a user
    /// without an account.
    func author() async throws -> String { try await caller().label }

    /// The calling user and the groups that it is in.
    func caller() async throws -> LocalCaller {
        if let known { return known }
        guard let provider = channel as? any SocketOptionProvider else {
            preconditionFailure("the local API is served on a channel without a socket")
        }
        let credentials: PeerCredentials = try await provider.unsafeGetSocketOption(
            level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED)
        ).get()
        return LocalCaller(uid: credentials.uid, gid: credentials.gid)
    }

    /// The same request, of which it is known who makes it: the machine's accounts are asked once.
    func of(_ caller: LocalCaller) -> APIContext {
        var context = self
        context.known = caller
        return context
    }
}

/// `struct ucred` of the Linux kernel (unix(7)): three 32-bit numbers in this order.
private struct PeerCredentials: Sendable {
    let pid: pid_t
    let uid: uid_t
    let gid: gid_t
}
