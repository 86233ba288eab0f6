// The local API as a client sees it: one method per endpoint of Protocol/admin-api.yaml, errors as
// ConcordError. Every answer also keeps the bytes that the daemon sent, so that `--json` shows fields that
// this client does not know.

import ConcordAPI
import ConcordModel
import Foundation
import NIOHTTP1

/// What the daemon answered, read and as sent.
public struct Answer<Document: Decodable & Sendable>: Sendable {
    /// The document, as far as this client knows its fields.
    public let document: Document
    /// The JSON text that came.
    public let json: [UInt8]

    /// An answer of these parts.
    public init(document: Document, json: [UInt8]) {
        self.document = document
        self.json = json
    }
}

/// A client of the daemon that listens on a Unix socket. It keeps no connection and no state.
public struct DaemonClient: Sendable {
    /// The path of the socket.
    public let socket: String
    /// How long a request may take, unless it is one that takes long by its nature.
    public let timeout: Duration

    /// A client of the daemon on `socket`. Nothing is opened before the first call.
    public init(socket: String, timeout: Duration = ClientLimits.timeout) {
        self.socket = socket
        self.timeout = timeout
    }

    /// Sends a request and reads the answer as `Document`.
    ///
    /// - Throws: ``ConcordError``: E-6005 if the daemon cannot be reached, else what the daemon says.
    func call<Document: Decodable & Sendable>(
        _ request: LocalRequest, as type: Document.Type = Document.self, timeout: Duration? = nil
    ) async throws -> Answer<Document> {
        try answer(
            try await LocalConnection(socket: socket).send(request, timeout: timeout ?? self.timeout),
            to: request)
    }

    /// Reads a response as `Document`.
    func answer<Document: Decodable & Sendable>(
        _ response: LocalResponse, to request: LocalRequest, as type: Document.Type = Document.self
    ) throws -> Answer<Document> {
        guard (200..<300).contains(response.status) else { throw Self.error(in: response) }
        do {
            let document = try JSONDecoder().decode(type, from: Data(response.body))
            return Answer(document: document, json: response.body)
        } catch {
            throw ConcordError(
                .internalError, "the daemon's answer to \(request.method) \(request.target) cannot be read",
                action: "use `concord` and `concordd` of the same version")
        }
    }

    /// A request whose body is `body` in JSON.
    func request(
        _ method: HTTPMethod, _ path: [String], query: [(name: String, value: String?)] = [],
        body: some Encodable
    ) throws -> LocalRequest {
        LocalRequest(method, path, query: query, body: Array(try JSONEncoder().encode(body)))
    }

    /// The error that a response other than 2xx carries.
    static func error(in response: LocalResponse) -> ConcordError {
        guard let body = try? JSONDecoder().decode(ErrorDocument.self, from: Data(response.body)).error else {
            return ConcordError(
                response.status == 404 ? .malformedRequest : .internalError,
                "the daemon answered with HTTP status \(response.status)",
                action: "use `concord` and `concordd` of the same version")
        }
        guard let code = ErrorCode(rawValue: body.code) else {
            return ConcordError(
                .internalError, "\(body.message) (\(body.code), which this version does not know)",
                action: body.action)
        }
        return ConcordError(code, body.message, action: body.action)
    }
}
