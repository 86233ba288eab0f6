// GET, POST /v1/spaces, POST /v1/spaces/join, POST /v1/spaces/{space}/invite, GET /v1/spaces/{space}/digest,
// POST /v1/spaces/{space}/acts, GET /v1/spaces/{space}/procedures, GET /v1/members

import ConcordAPI
import ConcordCrypto
import ConcordModel
import Hummingbird

extension LocalAPIRoutes {
    func addSpaceRoutes(to group: Group) {
        group.get("spaces") { request, _ in
            _ = try RequestQuery(request)
            return try APIResponse.json(try await services.spaces())
        }
        group.post("spaces") { request, _ in
            let bytes = try await request.object(keys: ["charter"]).bytes("charter", upTo: Limits.frameBytes)
            return try APIResponse.json(try await services.found(try SignedCharter(encoded: bytes)))
        }
        group.post("spaces/join") { request, _ in
            let bytes = try await request.object(keys: ["invite"]).bytes("invite", upTo: Limits.inviteBytes)
            return try APIResponse.json(try await services.join(try Invite(encoded: bytes)))
        }
        group.post("spaces/:space/invite") { request, context in
            _ = try await request.object(keys: [])
            let invite = try await services.invite(to: try context.part("space"))
            return try APIResponse.json(InviteDocument(invite: Base64.encode(invite.encoded)))
        }
        group.get("spaces/:space/digest") { request, context in
            _ = try RequestQuery(request)
            return try APIResponse.json(try await services.digest(of: try context.part("space")))
        }
        group.post("spaces/:space/acts") { request, context in
            let signed = try Self.signedAct(try await request.object(keys: ["act", "signer", "signature"]))
            let document = try await services.write(
                signed, in: try context.part("space"), author: try await context.author())
            return try APIResponse.json(document)
        }
        group.get("spaces/:space/procedures") { request, context in
            _ = try RequestQuery(request)
            return try APIResponse.json(try await services.procedures(in: try context.part("space")))
        }
        group.get("members") { request, _ in
            let space = try RequestQuery(request, names: ["space"]).optional("space")
            return try APIResponse.json(try await services.members(of: space))
        }
    }

    private static func signedAct(_ object: RequestObject) throws -> SignedAct {
        let act = try object.bytes("act", upTo: Limits.actBytes)
        guard let signer = Digest(hex: try object.text("signer")) else {
            throw ConcordError(.malformedRequest, "“signer” must be 64 hexadecimal digits")
        }
        guard let signature = Signature(bytes: try object.bytes("signature", upTo: Signature.byteCount))
        else {
            throw ConcordError(.malformedAct, "the signature is not in canonical form")
        }
        return SignedAct(act: act, signer: MemberID(signer), signature: signature)
    }
}
