// Who endorsed a document: by signature, each the exact text, and as history has it, in the field `endorsers`. Counted
// by States and organizations.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore

extension StoreServices {
    /// Who endorsed a document; nil for records of other kinds.
    func endorsements(of record: RecordDocument) throws -> EndorsementsDocument? {
        guard record.kind == "document" else { return nil }
        let named = try Named(record)
        let procedures = try procedures(of: try store.space(named.space))
        let types = try MemberTypes(profiles: store.records(RecordQuery(space: named.space, kind: "member")))
        let current = Self.textHash(of: record)
        let texts = procedures.texts(of: named.id)
        var order: [Digest] = []
        for text in texts.reversed() where !order.contains(text.endorsement.text) {
            order.append(text.endorsement.text)
        }
        let versions = order.map { hash in
            let endorsers = texts.filter { $0.endorsement.text == hash }.map { text in
                let member = procedures.party(text.signature.member)
                return EndorsementsDocument.Endorser(
                    member: member, type: types.type(of: member.code).rawValue,
                    at: Timestamp.text(milliseconds: text.endorsement.timestamp),
                    act: text.hash.description, dot: text.signature.carrier.description)
            }
            return Self.version(hash, endorsers, isCurrent: hash == current)
        }
        return EndorsementsDocument(
            text: current?.description,
            textMovedOn: current != nil && versions.contains { !$0.isCurrent },
            versions: versions.filter(\.isCurrent) + versions.filter { !$0.isCurrent },
            recorded: Self.recorded(record, types))
    }

    private static func version(
        _ hash: Digest, _ endorsers: [EndorsementsDocument.Endorser], isCurrent: Bool
    ) -> EndorsementsDocument.Version {
        var seen: Set<String> = []
        let distinct = endorsers.filter { seen.insert($0.member.id).inserted }
            .sorted { ($0.member.code, $0.member.id) < ($1.member.code, $1.member.id) }
        let states = distinct.filter { $0.type == MemberTypes.Kind.state.rawValue }.count
        return EndorsementsDocument.Version(
            text: hash.description, isCurrent: isCurrent, endorsers: distinct, states: Int64(states),
            organizations: Int64(distinct.count - states))
    }

    private static func recorded(
        _ record: RecordDocument, _ types: MemberTypes
    ) -> EndorsementsDocument.Recorded {
        var codes: [String] = []
        if case .array(let elements)? = record.fields["endorsers"] {
            for case .string(let code) in elements { codes.append(code) }
        }
        func reported(_ field: String) -> Int64? {
            if case .integer(let number)? = record.fields[field] { return number }
            return nil
        }
        let states = codes.filter { types.type(of: $0) == .state }
        return EndorsementsDocument.Recorded(
            states: states.sorted(),
            organizations: codes.filter { types.type(of: $0) == .organization }.sorted(),
            reportedStates: reported("reported_states"),
            reportedOrganizations: reported("reported_organizations"))
    }

    /// The SHA-256 of the text that a document shows; nil if it has none.
    static func textHash(of record: RecordDocument) -> Digest? {
        guard case .string(let text)? = record.fields["body"], !text.isEmpty else { return nil }
        return SHA256.hash(Array(text.utf8))
    }
}

/// Which members are States and which are organizations.
struct MemberTypes {
    enum Kind: String {
        case state
        case organization
    }

    private var types: [String: Kind] = [:]

    /// - Parameter profiles: the records of the kind `member`. What a member says of itself comes first, then what all
    ///   others agree upon.
    init(profiles: [RecordDocument]) throws {
        var told: [String: (own: Set<Kind>, others: Set<Kind>)] = [:]
        for profile in profiles {
            guard case .string(let code)? = profile.fields["code"],
                case .string(let type)? = profile.fields["type"], !type.isEmpty
            else { continue }
            let kind: Kind = type.lowercased() == Kind.state.rawValue ? .state : .organization
            if profile.owner == code {
                told[code, default: ([], [])].own.insert(kind)
            } else {
                told[code, default: ([], [])].others.insert(kind)
            }
        }
        for (code, said) in told {
            let kinds = said.own.isEmpty ? said.others : said.own
            if kinds.count == 1 { types[code] = kinds.first }
        }
    }

    /// What the profiles say; where they say nothing or contradict each other, a code of ISO 3166-1 is a State's.
    func type(of code: String) -> Kind {
        types[code] ?? (CountryCodes.all.contains(code) ? .state : .organization)
    }
}
