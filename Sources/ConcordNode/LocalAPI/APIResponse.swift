// Writes responses: JSON with sorted keys, and every error as an ErrorDocument with a status that fits it.

import ConcordAPI
import ConcordModel
import Foundation
import HTTPTypes
import Hummingbird
import Logging

enum APIResponse {
    /// A document as a response.
    static func json(_ document: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var buffer = ByteBuffer(bytes: try encoder.encode(document))
        buffer.writeInteger(UInt8(ascii: "\n"))
        return Response(
            status: status, headers: [.contentType: "application/json; charset=utf-8"],
            body: ResponseBody(byteBuffer: buffer))
    }

    /// An error as a response.
    static func failure(_ error: ConcordError, status: HTTPResponse.Status? = nil) throws -> Response {
        try json(
            ErrorDocument(code: error.code.rawValue, message: error.message, action: error.action),
            status: status ?? Self.status(of: error.code))
    }

    /// 400 what is malformed, 403 what this node may not, 404 what is not here, 409 what does not fit what is
    /// here, 413 what is too large, 507 a full disk, 500 the rest.
    static func status(of code: ErrorCode) -> HTTPResponse.Status {
        switch code {
        case .usage, .unknownField, .malformedValue, .malformedImport, .unknownKind, .missingField,
            .unreadableFile,
            .malformedKey, .malformedCertificate, .malformedCertificateRequest, .malformedCharter,
            .malformedAct, .malformedInvite,
            .malformedRequest, .badAddress, .notABackup, .notABundle, .truncatedBundle, .alteredBundle,
            .newerBundle:
            .badRequest
        case .notTheOwner, .notInStanding, .notYetAdmitted, .wrongAuthority, .mayNotSign, .forbidden,
            .bundleForOthers, .bundleExporterRefused:
            .forbidden
        case .unknownRecord, .unknownSpace, .unknownMember, .unknownTextVersion, .unknownAttachment,
            .bundleOfUnknownSpace:
            .notFound
        case .ambiguousIdentifier, .fieldInConflict, .recordMovedOn, .recordNotShown, .noConflict,
            .fileExists, .notShareable, .textUnchanged, .notConfirmed, .blobNotHeld,
            .alreadyMember, .spaceExists, .ambiguousSpace, .actInForce, .thresholdOutOfReach,
            .ambiguousMember,
            .certificateMismatch, .incompleteBundle, .recipientUnknown, .peerSuspended, .ourReplicaElsewhere:
            .conflict
        case .limitExceeded: .contentTooLarge
        case .diskFull, .reserveReached: HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
        default: .internalServerError
        }
    }
}

/// Turns whatever a route throws into an error that people can read.
struct ErrorMiddleware: RouterMiddleware {
    typealias Context = APIContext

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as ConcordError {
            let level: Logger.Level = APIResponse.status(of: error.code).code >= 500 ? .error : .debug
            context.logger.report(
                error, at: level, ["method": "\(request.method.rawValue)", "path": "\(request.uri.path)"])
            return try APIResponse.failure(error)
        } catch let error as HTTPError where error.status == .notFound {
            let refusal = ConcordError(
                .malformedRequest,
                "the local API has no \(request.method.rawValue) \(request.uri.path.prefix(256))")
            return try APIResponse.failure(refusal, status: .notFound)
        } catch let error as HTTPError where error.status.code < 500 {
            return try APIResponse.failure(
                ConcordError(.malformedRequest, error.body ?? error.status.reasonPhrase), status: error.status
            )
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            let failure = ConcordError(.internalError, "an unexpected error happened: \(error)")
            context.logger.report(failure, ["path": "\(request.uri.path)"])
            return try APIResponse.failure(failure)
        }
    }
}
