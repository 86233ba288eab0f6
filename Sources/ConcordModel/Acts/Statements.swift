// The acts that change nobody's standing: offices, endorsements of texts, erasure by the members.

import CBOR
import ConcordCrypto

/// The act that gives an office to members: `chair`, `troika` or `secretariat`.
public struct Appointment: FormalAct {
    public static let kind: UTF8Text = "appoint"
    public static let parts = 6
    /// The offices that there are.
    public static let offices: [UTF8Text] = ["chair", "secretariat", "troika"]

    /// The space.
    public let space: SpaceID
    /// The office.
    public let office: UTF8Text
    /// Who holds it from now on, ascending; nobody, if it is given up.
    public let holders: [MemberID]
    /// The hashes of the appointments that this one replaces, ascending.
    public let replaces: [Digest]
    /// Milliseconds since 1970 on the drafter's clock.
    public let timestamp: Int64

    /// An appointment of these parts.
    public init(
        space: SpaceID, office: UTF8Text, holders: [MemberID], replaces: [Digest], timestamp: Int64
    ) {
        self.space = space
        self.office = office
        self.holders = Set(holders).sorted()
        self.replaces = Set(replaces).sorted()
        self.timestamp = timestamp
    }

    public init(space: SpaceID, from reader: inout CBORReader) throws {
        self.space = space
        office = UTF8Text(try reader.text(upTo: Limits.nameBytes))
        guard Self.offices.contains(office) else {
            throw ConcordError(.malformedAct, "there is no office \(office)")
        }
        holders = try reader.digests(0...Limits.founders).map(MemberID.init)
        replaces = try reader.digests(0...Limits.dependencies)
        timestamp = try reader.timestamp()
    }

    public func writeParts(to writer: inout CBORWriter) {
        writer.text(office.string)
        writer.digests(holders.map(\.digest))
        writer.digests(replaces)
        writer.timestamp(timestamp)
    }
}

/// The act by which a member endorses the exact text of a document.
public struct TextEndorsement: FormalAct {
    public static let kind: UTF8Text = "endorse"
    public static let parts = 5

    /// The space.
    public let space: SpaceID
    /// The document.
    public let document: RecordID
    /// The SHA-256 of the exact text in UTF-8.
    public let text: Digest
    /// Milliseconds since 1970 on the drafter's clock.
    public let timestamp: Int64

    /// An endorsement of these parts.
    public init(space: SpaceID, document: RecordID, text: Digest, timestamp: Int64) {
        self.space = space
        self.document = document
        self.text = text
        self.timestamp = timestamp
    }

    public init(space: SpaceID, from reader: inout CBORReader) throws {
        self.space = space
        document = try reader.record()
        text = try reader.digest()
        timestamp = try reader.timestamp()
    }

    public func writeParts(to writer: inout CBORWriter) {
        writer.record(document)
        writer.digest(text)
        writer.timestamp(timestamp)
    }
}

/// The act by which the members, or the subject itself, have values removed for good.
public struct Erasure: FormalAct {
    public static let kind: UTF8Text = "erase"
    public static let parts = 7

    /// The space.
    public let space: SpaceID
    /// The member that wrote what goes.
    public let subject: MemberID
    /// The record of which values go.
    public let record: RecordID
    /// The changes that wrote them, ascending.
    public let changes: [Dot]
    /// Why, for people.
    public let reason: UTF8Text
    /// Milliseconds since 1970 on the drafter's clock.
    public let timestamp: Int64

    /// An erasure of these parts.
    public init(
        space: SpaceID, subject: MemberID, record: RecordID, changes: [Dot], reason: UTF8Text,
        timestamp: Int64
    ) {
        self.space = space
        self.subject = subject
        self.record = record
        self.changes = Set(changes).sorted()
        self.reason = reason
        self.timestamp = timestamp
    }

    public init(space: SpaceID, from reader: inout CBORReader) throws {
        self.space = space
        subject = try reader.member()
        record = try reader.record()
        changes = try reader.dots(upTo: Limits.namedDots)
        reason = try reader.reason()
        timestamp = try reader.timestamp()
    }

    public func writeParts(to writer: inout CBORWriter) {
        writer.digest(subject.digest)
        writer.record(record)
        writer.dots(changes)
        writer.text(reason.string)
        writer.timestamp(timestamp)
    }
}
