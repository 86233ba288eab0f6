// On the wire a space stands in short, by the first bytes of its id: otherwise a small change and its acknowledgement
// would be a quarter names of spaces. Which id is meant follows from what both sides have announced. Sessions know whole
// ids only; whoever drives one puts their frames into this form and back.

import ConcordModel

/// The names of the spaces of one session.
public struct SpaceNames: Sendable {
    /// Bytes of a short name.
    public static let shortBytes = 4
    /// The head of a byte string of 32 bytes, and of a short name.
    private static let longHead: [UInt8] = [0x58, 0x20]
    private static let shortHead: UInt8 = 0x40 + UInt8(shortBytes)
    /// Where the space of a message stands, behind the heads of the array and of the type.
    private static let place = 2

    private var spaces: [[UInt8]] = []

    /// The names of a session in which nothing is shared yet.
    public init() {}

    /// Learns which spaces are shared; what was shared once may still be named.
    public mutating func share(_ shared: [SpaceID]) {
        for space in shared where !spaces.contains(space.digest.bytes) { spaces.append(space.digest.bytes) }
    }

    /// A frame as it is sent. A name that two spaces share is not shortened, nor is anything that is no space.
    public func shortened(_ frame: [UInt8]) -> [UInt8] {
        let start = Self.place + Self.longHead.count
        guard frame.count >= start + 32, frame[Self.place...].starts(with: Self.longHead) else {
            return frame
        }
        let space = frame[start..<start + 32]
        let short = space.prefix(Self.shortBytes)
        guard spaces.contains(where: { $0.elementsEqual(space) }), spaces(beginningWith: short).count == 1
        else { return frame }
        var result: [UInt8] = []
        result.reserveCapacity(frame.count)
        result += frame[..<Self.place]
        result.append(Self.shortHead)
        result += short
        result += frame[(start + 32)...]
        return result
    }

    /// A frame as a session reads it; as it came if its space is not named in short, or unknown.
    public func expanded(_ frame: [UInt8]) -> [UInt8] {
        let end = Self.place + 1 + Self.shortBytes
        guard frame.count >= end, frame[Self.place] == Self.shortHead else { return frame }
        let named = spaces(beginningWith: frame[(Self.place + 1)..<end])
        guard named.count == 1 else { return frame }
        var result: [UInt8] = []
        result.reserveCapacity(frame.count + 32)
        result += frame[..<Self.place]
        result += Self.longHead
        result += named[0]
        result += frame[end...]
        return result
    }

    private func spaces(beginningWith short: some Collection<UInt8>) -> [[UInt8]] {
        spaces.filter { $0.starts(with: short) }
    }
}
