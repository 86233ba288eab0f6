// What an act says, in a few words for lists: the same words wherever it is shown.

import ConcordCrypto
import ConcordModel

extension Act {
    /// Whom the act is about; nil where it is about nobody in particular.
    public var subject: MemberID? {
        switch self {
        case .admission(let act): act.subject.id
        case .suspension(let act): act.subject
        case .reinstatement(let act): act.subject
        case .departure(let act): act.subject
        case .rotation(let act): act.subject
        case .erasure(let act): act.subject
        case .revocation, .appointment, .endorsement, .other: nil
        }
    }

    /// Why, where the act gives a reason.
    public var reason: String? {
        switch self {
        case .suspension(let act): act.reason.string
        case .revocation(let act): act.reason.string
        case .erasure(let act): act.reason.string
        default: nil
        }
    }

    /// When it was drafted, in milliseconds since 1970 by the drafter's clock; nil for an act of an unknown kind.
    public var timestamp: Int64? {
        switch self {
        case .admission(let act): act.timestamp
        case .suspension(let act): act.timestamp
        case .reinstatement(let act): act.timestamp
        case .revocation(let act): act.timestamp
        case .departure(let act): act.timestamp
        case .rotation(let act): act.timestamp
        case .appointment(let act): act.timestamp
        case .endorsement(let act): act.timestamp
        case .erasure(let act): act.timestamp
        case .other: nil
        }
    }

    /// What the act says, in a few words.
    ///
    /// - Parameter name: how a member is called, such as `DEU Germany`.
    public func summary(_ name: (MemberID) -> String) -> String {
        switch self {
        case .admission(let act):
            let whom = "\(act.subject.code) \(act.subject.name)"
            let heir = act.predecessor.map { ", who takes over the records of \(name($0))" } ?? ""
            return "admit \(whom) as \(act.role.word)\(heir)"
        case .suspension(let act): return "suspend \(name(act.subject))"
        case .reinstatement(let act): return "reinstate \(name(act.subject))"
        case .revocation(let act): return "revoke the node \(act.node.description.prefix(16))"
        case .departure(let act): return "\(name(act.subject)) leaves"
        case .rotation(let act): return "new authority key of \(name(act.subject))"
        case .appointment(let act):
            guard !act.holders.isEmpty else { return "the office of \(act.office) is given up" }
            return "appoint \(act.holders.map(name).joined(separator: ", ")) as \(act.office)"
        case .endorsement(let act): return "endorse the text \(act.text.description.prefix(16))"
        case .erasure(let act): return "erase what \(name(act.subject)) wrote in \(act.changes.count) changes"
        case .other(let kind, _): return "an act \(kind), which this version does not know"
        }
    }
}
