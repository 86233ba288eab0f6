// Calls about bundles. Volumes go in and out in pieces.

import ConcordAPI
import ConcordModel
import Foundation

/// What a bundle is to be, as the local API takes it.
public struct BundleRequest: Encodable, Hashable, Sendable {
    /// The space; nil for the only one.
    public var space: String?
    /// Codes of members, prefixes of their ids, or `everyone`.
    public var recipients: [String]
    /// Certificates for key agreement, in PEM.
    public var certificates: [String]
    /// Whether it is left unencrypted.
    public var plain: Bool
    /// Whether it holds everything, and not only what the recipients lack.
    public var everything: Bool
    /// Whether files go along.
    public var attachments: Bool
    /// Whether files of records go along that say nothing new to the recipients.
    public var earlierFiles: Bool
    /// Bytes of a volume at most; nil for as many as there may be.
    public var volumeBytes: Int64?

    /// A bundle with these properties.
    public init(
        space: String?, recipients: [String], certificates: [String], plain: Bool, everything: Bool,
        attachments: Bool, earlierFiles: Bool, volumeBytes: Int64?
    ) {
        self.space = space
        self.recipients = recipients
        self.certificates = certificates
        self.plain = plain
        self.everything = everything
        self.attachments = attachments
        self.earlierFiles = earlierFiles
        self.volumeBytes = volumeBytes
    }
}

extension DaemonClient {
    /// Makes a bundle, which waits on the node to be fetched. May take minutes.
    public func exportBundle(_ bundle: BundleRequest) async throws -> Answer<BundleExportDocument> {
        try await call(try request(.POST, ["bundles"], body: bundle), timeout: ClientLimits.longTimeout)
    }

    /// Hands over a volume of a bundle that was made, piece by piece.
    public func volume(
        _ number: Int64, of bundle: String, take: @escaping @Sendable ([UInt8]) throws -> Void
    ) async throws {
        let request = LocalRequest(.GET, ["bundles", bundle, "volumes", String(number)])
        if let refusal = try await LocalTransfer(socket: socket).download(request, take: take) {
            throw Self.error(in: refusal)
        }
    }

    /// Has the node forget a bundle that was made.
    public func discardBundle(_ bundle: String) async throws -> Answer<OkDocument> {
        try await call(LocalRequest(.DELETE, ["bundles", bundle]))
    }

    /// What a volume is. Nothing of it is taken.
    public func inspectBundle(
        size: Int64?, next: @escaping @Sendable () throws -> [UInt8]?
    ) async throws -> Answer<BundleDocument> {
        let request = LocalRequest(.POST, ["bundles", "inspect"])
        return try answer(
            try await LocalTransfer(socket: socket).upload(request, byteCount: size, next: next), to: request)
    }

    /// Takes in a volume.
    public func importBundle(
        size: Int64?, next: @escaping @Sendable () throws -> [UInt8]?
    ) async throws -> Answer<BundleImportDocument> {
        let request = LocalRequest(.POST, ["bundles", "import"])
        return try answer(
            try await LocalTransfer(socket: socket).upload(request, byteCount: size, next: next), to: request)
    }
}
