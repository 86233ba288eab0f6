// The acts on who belongs to a space: admission, suspension, reinstatement, departure.

import CBOR
import ConcordCrypto

/// The role in which a member stands on the roster.
public enum Role: UInt64, Hashable, Sendable {
    /// Reads and writes.
    case member = 0
    /// Reads.
    case observer = 1

    /// The word for people and for JSON.
    public var word: String { self == .member ? "member" : "observer" }
}

/// The act by which a member or observer is admitted to a space.
public struct Admission: FormalAct {
    public static let kind: UTF8Text = "admit"
    public static let parts = 6

    /// The space.
    public let space: SpaceID
    /// Who is admitted.
    public let subject: MemberStatement
    /// As what.
    public let role: Role
    /// The former identity whose records the subject takes over, for a member whose authority was lost.
    public let predecessor: MemberID?
    /// Milliseconds since 1970 on the drafter's clock; tells two admissions of one subject apart.
    public let timestamp: Int64

    /// An admission of these parts.
    public init(
        space: SpaceID, subject: MemberStatement, role: Role, predecessor: MemberID?, timestamp: Int64
    ) {
        self.space = space
        self.subject = subject
        self.role = role
        self.predecessor = predecessor
        self.timestamp = timestamp
    }

    public init(space: SpaceID, from reader: inout CBORReader) throws {
        self.space = space
        subject = try MemberStatement(from: &reader)
        guard let role = Role(rawValue: try reader.unsigned()) else {
            throw ConcordError(.malformedAct, "an admission names an unknown role")
        }
        self.role = role
        let predecessor = try reader.byteString(upTo: 32)
        guard predecessor.isEmpty || predecessor.count == 32 else {
            throw ConcordError(.malformedAct, "an admission names a malformed predecessor")
        }
        self.predecessor = Digest(bytes: predecessor).map(MemberID.init)
        timestamp = try reader.timestamp()
    }

    public func writeParts(to writer: inout CBORWriter) {
        subject.write(to: &writer)
        writer.unsigned(role.rawValue)
        writer.byteString(predecessor?.digest.bytes ?? [])
        writer.timestamp(timestamp)
    }
}

/// The act by which a member is suspended: of its replicas only what `keeps` names, and what others built upon, stays
/// in effect.
public struct Suspension: FormalAct {
    public static let kind: UTF8Text = "suspend"
    public static let parts = 6

    /// The space.
    public let space: SpaceID
    /// Who is suspended.
    public let subject: MemberID
    /// The cut-offs by replica; a replica that is not named is cut off at 0.
    public let keeps: VersionVector
    /// Why, for people.
    public let reason: UTF8Text
    /// Milliseconds since 1970 on the drafter's clock.
    public let timestamp: Int64

    /// A suspension of these parts.
    public init(
        space: SpaceID, subject: MemberID, keeps: VersionVector, reason: UTF8Text, timestamp: Int64
    ) {
        self.space = space
        self.subject = subject
        self.keeps = keeps
        self.reason = reason
        self.timestamp = timestamp
    }

    public init(space: SpaceID, from reader: inout CBORReader) throws {
        self.space = space
        subject = try reader.member()
        keeps = try reader.versionVector()
        reason = try reader.reason()
        timestamp = try reader.timestamp()
    }

    public func writeParts(to writer: inout CBORWriter) {
        writer.digest(subject.digest)
        writer.dots(keeps.dots)
        writer.text(reason.string)
        writer.timestamp(timestamp)
    }
}

/// The act that takes back suspensions, which it names.
public struct Reinstatement: FormalAct {
    public static let kind: UTF8Text = "reinstate"
    public static let parts = 5

    /// The space.
    public let space: SpaceID
    /// Who is reinstated.
    public let subject: MemberID
    /// The hashes of the suspensions that are taken back, ascending, at least one.
    public let suspensions: [Digest]
    /// Milliseconds since 1970 on the drafter's clock.
    public let timestamp: Int64

    /// A reinstatement of these parts.
    public init(space: SpaceID, subject: MemberID, suspensions: [Digest], timestamp: Int64) {
        self.space = space
        self.subject = subject
        self.suspensions = Set(suspensions).sorted()
        self.timestamp = timestamp
    }

    public init(space: SpaceID, from reader: inout CBORReader) throws {
        self.space = space
        subject = try reader.member()
        suspensions = try reader.digests(1...Limits.dependencies)
        timestamp = try reader.timestamp()
    }

    public func writeParts(to writer: inout CBORWriter) {
        writer.digest(subject.digest)
        writer.digests(suspensions)
        writer.timestamp(timestamp)
    }
}

/// The act by which a member leaves: it gives up the admissions that it names, and its place as a founder if it names
/// the space.
public struct Departure: FormalAct {
    public static let kind: UTF8Text = "leave"
    public static let parts = 6

    /// The space.
    public let space: SpaceID
    /// Who leaves.
    public let subject: MemberID
    /// The hashes of the admissions that are given up, and the space's id for a founder's place; ascending.
    public let standing: [Digest]
    /// What of the member's replicas stays; a replica that is not named is cut off at 0.
    public let keeps: VersionVector
    /// Milliseconds since 1970 on the drafter's clock.
    public let timestamp: Int64

    /// A departure of these parts.
    public init(
        space: SpaceID, subject: MemberID, standing: [Digest], keeps: VersionVector, timestamp: Int64
    ) {
        self.space = space
        self.subject = subject
        self.standing = Set(standing).sorted()
        self.keeps = keeps
        self.timestamp = timestamp
    }

    public init(space: SpaceID, from reader: inout CBORReader) throws {
        self.space = space
        subject = try reader.member()
        standing = try reader.digests(1...Limits.dependencies)
        keeps = try reader.versionVector()
        timestamp = try reader.timestamp()
    }

    public func writeParts(to writer: inout CBORWriter) {
        writer.digest(subject.digest)
        writer.digests(standing)
        writer.dots(keeps.dots)
        writer.timestamp(timestamp)
    }
}
