// An act before it is signed: everything that stands in its bytes, read from the bytes themselves, so that nobody signs
// what they have not seen.

import ConcordAPI
import ConcordCrypto
import ConcordModel

/// Acts for people.
public enum ActView {
    /// Every part of an act, and who has signed it: as far as the file says, unless it is known better.
    public static func lines(
        _ file: ActFile, signers known: [String]? = nil, style: TextStyle = .plain
    ) -> [String] {
        var parts = [
            ("act", file.act.summary(file.name)),
            ("space", "\(file.spaceName.string)  \(Quantity.fingerprint(file.act.space.description))"),
        ]
        parts += self.parts(of: file.act, name: file.name)
        if let timestamp = file.act.timestamp {
            parts.append(("drafted", "\(Moment.minute(Timestamp.text(milliseconds: timestamp))) UTC"))
        }
        parts.append(("hash", Quantity.fingerprint(file.hash.description)))
        let signers =
            known ?? file.signatures.map { "\(file.name($0.signer)) \($0.signer.description.prefix(16))" }
        parts.append(("signed by", signers.isEmpty ? "nobody" : signers.joined(separator: ", ")))
        return parts.flatMap { label, text in
            let head = TerminalText.padded(label, to: 12)
            return TerminalText.wrapped(TerminalText.escaped(text), to: style.columns - 13).enumerated().map {
                "\($0.offset == 0 ? style.faint(head) : String(repeating: " ", count: 12)) \($0.element)"
            }
        }
    }

    private static func parts(
        of act: Act, name: (MemberID) -> String
    ) -> [(label: String, text: String)] {
        func member(_ id: MemberID) -> String { "\(name(id))  \(Quantity.fingerprint(id.description))" }
        switch act {
        case .admission(let act):
            return [
                ("subject", "\(act.subject.code) \(act.subject.name)"),
                ("fingerprint", Quantity.fingerprint(act.subject.id.description)), ("role", act.role.word),
            ] + (act.predecessor.map { [("takes over", member($0))] } ?? [])
        case .suspension(let act):
            return [
                ("subject", member(act.subject)), ("reason", act.reason.string), ("keeps", keeps(act.keeps)),
            ]
        case .reinstatement(let act):
            return [("subject", member(act.subject)), ("takes back", hashes(act.suspensions))]
        case .revocation(let act):
            return [
                ("node", Quantity.fingerprint(act.node.description)), ("reason", act.reason.string),
                ("keeps", keeps(act.keeps)),
            ]
        case .departure(let act):
            return [
                ("subject", member(act.subject)), ("gives up", hashes(act.standing)),
                ("keeps", keeps(act.keeps)),
            ]
        case .rotation(let act):
            let key = (try? Certificate(der: act.certificate))?.publicKey.fingerprint
            return [
                ("subject", member(act.subject)),
                ("old key", Quantity.fingerprint(act.replaces.description)),
                ("new key", key.map { Quantity.fingerprint($0.description) } ?? "?"),
            ]
        case .appointment(let act):
            return [
                ("office", act.office.string),
                ("holders", act.holders.isEmpty ? "nobody" : act.holders.map(member).joined(separator: ", ")),
                ("replaces", hashes(act.replaces)),
            ]
        case .endorsement(let act):
            return [
                ("document", act.document.description),
                ("text", Quantity.fingerprint(act.text.description)),
            ]
        case .erasure(let act):
            return [
                ("subject", member(act.subject)), ("reason", act.reason.string),
                ("changes", act.changes.map(\.description).joined(separator: ", ")),
            ]
        case .other: return []
        }
    }

    private static func keeps(_ vector: VersionVector) -> String {
        let parts = vector.elements.map { "\($0.replica) up to \($0.sequence)" }
        return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
    }

    private static func hashes(_ hashes: [Digest]) -> String {
        hashes.isEmpty ? "nothing" : hashes.map { String($0.description.prefix(16)) }.joined(separator: ", ")
    }
}
