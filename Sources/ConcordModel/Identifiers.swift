// The names of things: who (member, node), which database (replica), which record set (space), which record, which
// value (dot). All are byte strings that compare as bytes; none is a Swift String.

import ConcordCrypto

/// A State or organization: the SHA-256 of its founding authority's public key (DER SubjectPublicKeyInfo).
public struct MemberID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The hash itself.
    public let digest: Digest

    /// The member with this hash.
    public init(_ digest: Digest) { self.digest = digest }

    /// The member that this authority certificate founds.
    public init(authority: Certificate) { digest = authority.publicKey.fingerprint }

    public static func < (a: Self, b: Self) -> Bool { a.digest < b.digest }
    public var description: String { digest.description }
}

/// One running daemon of a member: the SHA-256 of its signing key.
public struct NodeID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The hash itself.
    public let digest: Digest

    /// The node with this hash.
    public init(_ digest: Digest) { self.digest = digest }

    /// The node that this signing certificate names.
    public init(certificate: Certificate) { digest = certificate.publicKey.fingerprint }

    public static func < (a: Self, b: Self) -> Bool { a.digest < b.digest }
    public var description: String { digest.description }
}

/// A space: the SHA-256 of its charter's canonical bytes.
public struct SpaceID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The hash itself.
    public let digest: Digest

    /// The space with this hash.
    public init(_ digest: Digest) { self.digest = digest }

    public static func < (a: Self, b: Self) -> Bool { a.digest < b.digest }
    public var description: String { digest.description }
}

/// 128 bits that compare as big-endian bytes.
public struct Bytes16: Hashable, Comparable, Sendable {
    /// The first eight bytes, big-endian.
    public let high: UInt64
    /// The last eight bytes, big-endian.
    public let low: UInt64

    /// The bytes of two big-endian words.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The given bytes, or nil unless there are 16.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for byte in bytes { words = (words.0 << 8 | words.1 >> 56, words.1 << 8 | UInt64(byte)) }
        (high, low) = words
    }

    /// The 16 bytes.
    public var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            for offset in 0..<8 {
                let shift = UInt64(56 - offset * 8)
                buffer[offset] = UInt8(truncatingIfNeeded: high >> shift)
                buffer[offset + 8] = UInt8(truncatingIfNeeded: low >> shift)
            }
            count = 16
        }
    }

    public static func < (a: Self, b: Self) -> Bool { (a.high, a.low) < (b.high, b.low) }
}

/// One SQLite database of one node: 128 bits of a hash over member, node and a nonce, which the replica's first change
/// shows. Inside a store the branches of a replica that signed two changes of one number bear such names, too.
public struct ReplicaID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The 128 bits.
    public let value: Bytes16

    /// The replica with these 128 bits.
    public init(_ value: Bytes16) { self.value = value }

    /// The replica with these bytes, or nil unless there are 16.
    public init?(bytes: some Collection<UInt8>) {
        guard let value = Bytes16(bytes) else { return nil }
        self.value = value
    }

    /// The 16 bytes.
    public var bytes: [UInt8] { value.bytes }
    public static func < (a: Self, b: Self) -> Bool { a.value < b.value }
    /// 32 lower-case hexadecimal digits.
    public var description: String { hexadecimal(bytes) }
}

extension ReplicaID {
    private static let replicaPrefix = Array("concord/1 replica".utf8)
    private static let branchPrefix = Array("concord/1 branch".utf8)

    /// The id of a replica: the first 16 bytes of SHA-256 over prefix, space, member, node and nonce. So nobody can
    /// begin a replica under the id of another's.
    public init(space: SpaceID, member: MemberID, node: NodeID, nonce: Bytes16) {
        let hash = SHA256.hash(
            Self.replicaPrefix, space.digest.bytes, member.digest.bytes, node.digest.bytes, nonce.bytes)
        self.init(hash.mark)
    }

    /// The name of the branch that begins with the change of this hash.
    public init(branchBeginningWith hash: Digest) {
        self.init(SHA256.hash(Self.branchPrefix, hash.bytes).mark)
    }
}

extension Digest {
    /// The first 16 bytes, which tell one change from another of the same number.
    public var mark: Bytes16 {
        let words = leadingWords
        return Bytes16(high: words.0, low: words.1)
    }
}

/// A record: a UUID of version 7 (RFC 9562) whose last 62 bits are bound to the operation that creates it.
public struct RecordID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The 128 bits of the UUID.
    public let value: Bytes16

    /// The record with these 128 bits.
    public init(_ value: Bytes16) { self.value = value }

    /// The record with these bytes, or nil unless there are 16.
    public init?(bytes: some Collection<UInt8>) {
        guard let value = Bytes16(bytes) else { return nil }
        self.value = value
    }

    /// Parses the form 8-4-4-4-12, hyphens optional; nil if it is not 32 hexadecimal digits.
    public init?(text: String) {
        guard let bytes = ConcordModel.bytes(hexadecimal: text.filter { $0 != "-" }) else { return nil }
        self.init(bytes: bytes)
    }

    /// The 16 bytes.
    public var bytes: [UInt8] { value.bytes }
    public static func < (a: Self, b: Self) -> Bool { a.value < b.value }
    /// The usual form of a UUID, 8-4-4-4-12 lower-case digits.
    public var description: String {
        let digits = Array(hexadecimal(bytes).utf8)
        let parts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
        return parts.map { String(decoding: digits[$0], as: UTF8.self) }.joined(separator: "-")
    }
}

/// Names a change, and within a record and field the value that it wrote: (replica, sequence).
public struct Dot: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Whose change.
    public let replica: ReplicaID
    /// Its number in the replica's chain, from 1 without gaps.
    public let sequence: UInt64

    /// The change number `sequence` of `replica`.
    public init(_ replica: ReplicaID, _ sequence: UInt64) {
        self.replica = replica
        self.sequence = sequence
    }

    public static func < (a: Self, b: Self) -> Bool { (a.replica, a.sequence) < (b.replica, b.sequence) }
    /// `replica:sequence`, the replica in hexadecimal digits.
    public var description: String { "\(replica):\(sequence)" }

    /// Parses ``description``; nil if it is not of that form.
    public init?(text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let bytes = ConcordModel.bytes(hexadecimal: String(parts[0])),
            let replica = ReplicaID(bytes: bytes), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let sequence = UInt64(parts[1]), sequence > 0
        else { return nil }
        self.init(replica, sequence)
    }
}

/// The bytes as lower-case hexadecimal digits.
public func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}

/// The bytes that hexadecimal digits stand for, or nil if `text` is something else.
public func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var result: [UInt8] = []
    result.reserveCapacity(digits.count / 2)
    for index in stride(from: 0, to: digits.count, by: 2) {
        guard let high = nibble(digits[index]), let low = nibble(digits[index + 1]) else { return nil }
        result.append(high << 4 | low)
    }
    return result
}

private func nibble(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x41 + 10
    case 0x61...0x66: digit - 0x61 + 10
    default: nil
    }
}
