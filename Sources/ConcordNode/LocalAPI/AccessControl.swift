// Asks of every request whether its caller may make it, before any route sees it. What is not known to be harmless
// takes an administrator, so that a route that is added and forgotten here is closed and not open.

import ConcordModel
import Glibc
import HTTPTypes
import Hummingbird

/// Refuses callers whose role does not suffice, with E-6008.
struct AccessMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let policy: AccessPolicy
    let daemon: uid_t
    let socketGroup: gid_t

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let needed = NeededRole.of(request.method, path: request.uri.path)
        let caller = try await context.caller()
        let role = policy.role(of: caller, daemon: daemon, socketGroup: socketGroup)
        guard let role else {
            throw ConcordError(.forbidden, "\(caller.label) may not use this node")
        }
        guard role >= needed else {
            throw ConcordError(
                .forbidden,
                "\(caller.label) is \(role.withArticle) of this node, and this takes \(needed.withArticle)")
        }
        return try await next(request, context.of(caller))
    }
}

/// The role that each request takes.
enum NeededRole {
    /// - Parameter path: As it was sent. Routes are found by its parts between slashes, and so are roles.
    static func of(_ method: HTTPRequest.Method, path: String) -> LocalRole {
        let parts = path.split(separator: "/").dropFirst()
        switch (method, parts.first) {
        // Signs with the node's keys.
        case (_, "node"): return .administrator
        // Made by an editor, for others.
        case (.get, "bundles"): return .editor
        case (.get, _), (.head, _): return .reader
        // Changes nothing but takes the node's time.
        case (.post, "verify"): return .editor
        // Destroys values for good, on every replica.
        case (.post, "records") where parts.last == "erase": return .administrator
        // Removes a file that may be nowhere else.
        case (.delete, "records") where parts.last == "content": return .administrator
        // Takes nothing in.
        case (.post, "bundles") where parts.last == "inspect": return .reader
        case (_, "records"), (.post, "import"), (_, "bundles"): return .editor
        default: return .administrator
        }
    }
}

extension LocalRole {
    fileprivate var withArticle: String {
        switch self {
        case .reader: "a reader"
        case .editor: "an editor"
        case .administrator: "an administrator"
        }
    }
}
