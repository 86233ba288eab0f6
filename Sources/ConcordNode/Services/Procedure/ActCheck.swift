// Whether a signature under an act may be taken: who signed, with which key, and whether it changes anything. The rules
// of the roster decide whether it counts; this says why it would not, before anything is written.

import ConcordCrypto
import ConcordModel

/// Checks a signed act against the roster as it stands here.
struct ActCheck {
    let space: SpaceID
    let procedures: Procedures

    private var roster: Roster { procedures.roster }

    /// - Throws: ``ConcordError`` E-4003, E-4005, E-4007, E-4008, E-4011, E-4012, E-4013 or E-4014.
    func check(_ signed: SignedAct, _ act: Act) throws {
        if case .other(let kind, _) = act {
            throw ConcordError(
                .malformedAct, "“\(kind.string.prefix(64))” is no kind of act that this version knows",
                action: "use `concord` and `concordd` of the same version")
        }
        try checkSigner(signed, act)
        try checkUse(act, signer: signed.signer)
        let standing = procedures.standing(of: act, signed.hash)
        guard !standing.isInForce else {
            throw ConcordError(.actInForce, "the act is in force already: \(act.summary(procedures.name))")
        }
        guard !standing.signatures.contains(where: { $0.member == signed.signer }) else {
            throw ConcordError(
                .actInForce, "\(procedures.name(signed.signer)) has signed this act already")
        }
        guard standing.isReachable else {
            throw ConcordError(
                .thresholdOutOfReach,
                "\(standing.threshold) members must sign, and only "
                    + "\(standing.signatures.count + standing.maySign.count) members in standing may")
        }
    }

    /// Whether the signer may sign such an act, and did.
    private func checkSigner(_ signed: SignedAct, _ act: Act) throws {
        guard let entry = roster.entry(signed.signer) else {
            throw ConcordError(
                .unknownMember, "the signer \(signed.signer.description.prefix(16)) is not on the roster")
        }
        guard roster.mayEndorse(act, entry) else {
            let name = procedures.name(signed.signer)
            if act.subject == signed.signer {
                throw ConcordError(.mayNotSign, "\(name) may not sign an act about itself")
            }
            guard roster.role(signed.signer) == .member else {
                let why = entry.suspensions.isEmpty ? "an observer" : "suspended"
                throw ConcordError(.notInStanding, "\(name) is \(why), so it may not sign acts")
            }
            throw ConcordError(.mayNotSign, "\(name) may not sign this act: it is another member's own")
        }
        guard roster.endorsement(of: signed, in: space) != nil else {
            let isFormer = entry.formerAuthorities.contains { certificate in
                guard let certificate = try? Certificate(der: certificate) else { return false }
                return certificate.publicKey.isValid(signed.signature, for: signed.hash, as: .act)
            }
            throw isFormer
                ? ConcordError(
                    .wrongAuthority,
                    "the act is signed with a key of \(procedures.name(signed.signer)) that was replaced",
                    action: "sign it with the authority's present key")
                : ConcordError(.malformedAct, "the signature under the act does not verify")
        }
    }

    /// Whether the act would change anything.
    private func checkUse(_ act: Act, signer: MemberID) throws {
        switch act {
        case .admission(let admission):
            guard procedures.isMoot(act), let entry = roster.entry(admission.subject.id) else { return }
            throw ConcordError(
                .alreadyMember, "\(admission.subject.code) is on the roster already, as \(entry.role.word)")
        case .suspension(let suspension): try expectOnRoster(suspension.subject)
        case .reinstatement(let reinstatement):
            try expectOnRoster(reinstatement.subject)
            guard procedures.isMoot(act) else { return }
            throw ConcordError(
                .actInForce,
                "\(procedures.name(reinstatement.subject)) is not suspended by what the act takes back")
        case .departure(let departure):
            let standing = roster.entry(departure.subject)?.standing ?? []
            guard !standing.allSatisfy(departure.standing.contains) else { return }
            throw ConcordError(
                .malformedAct, "the act gives up only a part of what the member stands on",
                action: "draft it anew with `concord member leave`")
        case .rotation(let rotation): try check(rotation)
        case .appointment(let appointment):
            for holder in appointment.holders {
                try expectOnRoster(holder)
                guard roster.role(holder) == .member else {
                    throw ConcordError(
                        .notInStanding, "\(procedures.name(holder)) is not a member in standing")
                }
            }
            guard procedures.isMoot(act) else { return }
            throw ConcordError(.actInForce, "the office of \(appointment.office) is held so already")
        case .endorsement(let endorsement):
            let isSigned = procedures.texts(of: endorsement.document).contains { text in
                text.endorsement.text == endorsement.text && text.signature.member == signer
            }
            guard isSigned else { return }
            throw ConcordError(
                .actInForce, "\(procedures.name(signer)) has endorsed this very text already")
        case .revocation, .erasure, .other: return
        }
    }

    private func check(_ rotation: Rotation) throws {
        let keys = roster.entry(rotation.subject)?.authorities.compactMap {
            try? Certificate(der: $0).publicKey.fingerprint
        }
        guard keys?.contains(rotation.replaces) == true else {
            throw ConcordError(
                .wrongAuthority, "the key that the act replaces is not the authority's present key",
                action: "see `concord member list` for the fingerprints")
        }
    }

    private func expectOnRoster(_ member: MemberID) throws {
        guard roster.entry(member) != nil else {
            throw ConcordError(.unknownMember, "\(procedures.name(member)) is not on the roster")
        }
    }
}
