// Calls about spaces and their rosters. A space is named by its id, a unique prefix of it, or its name.

import ConcordAPI
import ConcordModel
import Foundation

extension DaemonClient {
    /// The spaces that the node holds.
    public func spaces() async throws -> Answer<SpacesDocument> {
        try await call(LocalRequest(.GET, ["spaces"]))
    }

    /// Founds a space.
    public func found(_ charter: SignedCharter) async throws -> Answer<FoundedDocument> {
        try await call(try request(.POST, ["spaces"], body: ["charter": Self.base64(charter.encoded)]))
    }

    /// Joins a space by the bytes of an invite.
    public func join(invite: [UInt8]) async throws -> Answer<JoinedDocument> {
        try await call(try request(.POST, ["spaces", "join"], body: ["invite": Self.base64(invite)]))
    }

    /// An invite to a space, made and signed by the node.
    public func invite(space: String) async throws -> Answer<InviteDocument> {
        try await call(LocalRequest(.POST, ["spaces", space, "invite"]))
    }

    /// The digest of a space's visible state.
    public func digest(space: String) async throws -> Answer<DigestDocument> {
        try await call(LocalRequest(.GET, ["spaces", space, "digest"]))
    }

    /// The roster of a space; of the only one if `space` is nil.
    public func members(space: String?) async throws -> Answer<MembersDocument> {
        try await call(LocalRequest(.GET, ["members"], query: [("space", space)]))
    }

    /// The acts of a space that wait for signatures.
    public func procedures(space: String) async throws -> Answer<ProceduresDocument> {
        try await call(LocalRequest(.GET, ["spaces", space, "procedures"]))
    }

    /// Carries one member's signature under an act into a space.
    public func endorse(_ signed: SignedAct, in space: String) async throws -> Answer<ActDocument> {
        let body = [
            "act": Self.base64(signed.act), "signer": signed.signer.description,
            "signature": Self.base64(signed.signature.bytes),
        ]
        return try await call(try request(.POST, ["spaces", space, "acts"], body: body))
    }

    static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
}
