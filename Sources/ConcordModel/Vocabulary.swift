// What kinds of records there are, which fields they have and what these take. The vocabulary guides what is written
// here; it never judges what was received, except by the static rules of who may write which kind.

/// How a field merges and what it takes.
public struct FieldDescription: Hashable, Sendable {
    /// What a value must look like when it is written here.
    public enum Form: String, Hashable, Sendable {
        /// Any text.
        case text
        /// A year, month, day or moment: `2017`, `2017-05`, `2017-05-24` or `2017-05-24T13:15:00-04:00`.
        case date
        /// A whole number.
        case integer
        /// A code of upper-case letters and digits such as `ESP` or `NATO`.
        case code
        /// An address with one `@`.
        case email
        /// The id of a record.
        case record
        /// `host:port`.
        case address
        /// A SHA-256: 64 hexadecimal digits.
        case hash
    }

    /// How concurrent writes of a field come together.
    public enum Merge: Hashable, Sendable {
        /// All values are kept, and several are a conflict.
        case register
        /// A set of elements, in which an add wins.
        case set
        /// One text in which everybody's edits are (Protocol/text.md).
        case text
    }

    /// The field's name, as typed and as stored.
    public let name: UTF8Text
    /// What its values look like.
    public let form: Form
    /// How concurrent writes come together.
    public let merge: Merge
    /// Whether a record cannot be created here without it.
    public let isRequired: Bool

    /// Whether it is an add-wins set.
    public var isSet: Bool { merge == .set }
    /// Whether it is a text that merges.
    public var isText: Bool { merge == .text }
}

/// A kind of record.
public struct KindDescription: Hashable, Sendable {
    /// The kind's name, as in `--kind` and as stored.
    public let name: UTF8Text
    /// Whether only the member that created a record may write it (rule B4).
    public let isOwned: Bool
    /// The kind of the record above, nil for kinds that stand on their own.
    public let parent: UTF8Text?
    /// The field that is a record's title in lists.
    public let titleField: UTF8Text
    /// The fields in the order of display.
    public let fields: [FieldDescription]

    /// The field of this name.
    public func field(_ name: UTF8Text) -> FieldDescription? { fields.first { $0.name == name } }

    /// The first field that is a text that merges; nil if the kind has none.
    public var textField: UTF8Text? { fields.first(where: \.isText)?.name }
}

/// The kinds of this level. Operations on records of other kinds are kept and relayed without effect (rule B4), until
/// a level that knows the kind, and with it who may write it, judges them.
public enum Vocabulary {
    /// Raised whenever a kind is added or its write rule set, or a field is added or merges otherwise, which the views
    /// show; digests are compared only between equal levels.
    public static let level: UInt64 = 4

    /// All kinds, in the order of display.
    public static let kinds: [KindDescription] = [
        KindDescription(
            name: "member", isOwned: true, parent: nil, titleField: "name",
            fields: [
                register("code", .code, required: true), register("name", required: true), register("type"),
                register("standing"), register("website"), set("addresses", .address), register("notes"),
            ]),
        KindDescription(
            name: "contact", isOwned: true, parent: nil, titleField: "name",
            fields: [
                register("name", required: true), register("member", .code), register("organization"),
                register("position"), register("role"), register("email", .email), register("phone"),
                set("areas"), set("languages"), register("notes"),
            ]),
        KindDescription(
            name: "meeting", isOwned: false, parent: nil, titleField: "title",
            fields: [
                register("title", required: true), register("kind"), register("status"),
                register("starts", .date),
                register("ends", .date), register("city"), register("country", .code), register("venue"),
                register("chair", .code), set("organizers", .code), register("speakers", .integer),
                register("notes"),
            ] + provenance),
        KindDescription(
            name: "agenda_item", isOwned: false, parent: "meeting", titleField: "title",
            fields: [register("title", required: true), register("order"), register("notes")]),
        KindDescription(
            name: "participation", isOwned: false, parent: "meeting", titleField: "name",
            fields: [
                register("contact", .record), register("name"), register("member", .code),
                register("capacity"),
                register("status"), register("notes"),
            ]),
        KindDescription(
            name: "document", isOwned: false, parent: nil, titleField: "title",
            fields: [
                register("title", required: true), register("kind"), register("status"),
                register("date", .date),
                register("adopted", .date), register("circulated", .date), register("meeting", .record),
                register("symbol"), set("languages"), register("original_language"), register("distribution"),
                register("agenda_item", .integer), set("areas"), set("annexes", .record),
                set("endorsers", .code),
                register("reported_states", .integer), register("reported_organizations", .integer),
                register("points", .integer), mergeable("body"), register("notes"),
            ] + provenance),
        KindDescription(
            name: attachment, isOwned: false, parent: "document", titleField: "name",
            fields: [
                register("name", required: true), register("media_type"),
                register("size", .integer, required: true), register("sha256", .hash),
                register("blob", .hash, required: true), register("notes"),
            ]),
    ]

    /// The kind of a file that belongs to a document (Protocol/attachments.md). Its field `blob` names the file.
    public static let attachment: UTF8Text = "attachment"

    /// Where a record comes from that was copied from another space: what whoever copied it says.
    public static let provenance: [FieldDescription] = [
        register("source_space"), register("source_record"), register("source_version"),
        register("shared_by"),
        register("shared_at", .date),
    ]

    /// The kind of this name.
    public static func kind(_ name: UTF8Text) -> KindDescription? { kindsByName[name] }

    private static let kindsByName = Dictionary(uniqueKeysWithValues: kinds.map { ($0.name, $0) })

    /// Whether only the creator's member may write records of this kind (rule B4). Meaningless for unknown kinds, of
    /// which nothing has effect: ask ``kind(_:)`` first.
    public static func isOwned(_ kind: UTF8Text) -> Bool { Self.kind(kind)?.isOwned ?? false }

    private static func register(
        _ name: UTF8Text, _ form: FieldDescription.Form = .text, required: Bool = false
    ) -> FieldDescription {
        FieldDescription(name: name, form: form, merge: .register, isRequired: required)
    }

    private static func set(_ name: UTF8Text, _ form: FieldDescription.Form = .text) -> FieldDescription {
        FieldDescription(name: name, form: form, merge: .set, isRequired: false)
    }

    private static func mergeable(_ name: UTF8Text) -> FieldDescription {
        FieldDescription(name: name, form: .text, merge: .text, isRequired: false)
    }
}
