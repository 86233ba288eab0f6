// When a member's signature under an act counts (rule B1), judged by the roster of the carrying change's past.

import ConcordCrypto

/// One member's valid signature under an act, found in some change.
public struct Endorsement: Hashable, Sendable {
    /// Who signed.
    public let signer: MemberID
    /// The SHA-256 of the act's bytes.
    public let hash: Digest
    /// The act.
    public let act: Act

    /// An endorsement whose signature was verified.
    public init(signer: MemberID, hash: Digest, act: Act) {
        self.signer = signer
        self.hash = hash
        self.act = act
    }
}

extension Roster {
    /// Rule B1: whether a signed act in a change with this roster in its past is a valid endorsement, and if so which.
    ///
    /// - Returns: nil if the signer may not endorse such an act, the act is of another space, or the signature does
    ///   not verify. Such an act is kept and has no effect.
    public func endorsement(of signed: SignedAct, in space: SpaceID) -> Endorsement? {
        endorsement(of: signed, in: space) { $0.authorities }
    }

    /// The same for acts whose order is lost: signed with a key that the signer has or had.
    func formerEndorsement(of signed: SignedAct, in space: SpaceID) -> Endorsement? {
        endorsement(of: signed, in: space) { $0.authorities + $0.formerAuthorities }
    }

    private func endorsement(
        of signed: SignedAct, in space: SpaceID, _ authorities: (Entry) -> [[UInt8]]
    ) -> Endorsement? {
        guard let signer = entry(signed.signer), let act = try? Act(encoded: signed.act), act.space == space,
            mayEndorse(act, signer)
        else { return nil }
        let isSigned = authorities(signer).contains { certificate in
            guard let key = (try? Certificate(der: certificate))?.publicKey else { return false }
            // A rotation is signed with the very key that goes.
            if case .rotation(let rotation) = act, rotation.replaces != key.fingerprint { return false }
            return key.isValid(signed.signature, for: signed.hash, as: .act)
        }
        return isSigned ? Endorsement(signer: signed.signer, hash: signed.hash, act: act) : nil
    }

    /// Whether whoever stands on this line may sign such an act: what members decide together takes a member in
    /// standing other than the subject; what a member does with its own keys and standing takes the member.
    public func mayEndorse(_ act: Act, _ signer: Entry) -> Bool {
        let id = signer.statement.id
        let isInStanding = role(id) == .member
        switch act {
        case .admission(let admission): return isInStanding && admission.subject.id != id
        case .suspension(let suspension): return isInStanding && suspension.subject != id
        case .reinstatement(let reinstatement): return isInStanding && reinstatement.subject != id
        case .appointment, .endorsement: return isInStanding
        case .erasure(let erasure): return isInStanding || erasure.subject == id
        case .revocation: return true
        case .departure(let departure): return departure.subject == id
        case .rotation(let rotation): return rotation.subject == id
        case .other: return isInStanding
        }
    }
}
