// What a link is like. The defaults are those of a wire that does nothing to what it carries.

/// How fast a link is, how long it takes, and how much it loses; equal in both directions.
public struct LinkShape: Hashable, Sendable, CustomStringConvertible {
    /// Bits that it carries in a second, in each direction; nil for as many as there are.
    public var bitsPerSecond: Int?
    /// From sending to the answer's arrival, apart from the time that the bytes themselves take.
    public var roundTrip: Duration
    /// The part of all segments that is lost, 0 to 1.
    public var loss: Double
    /// Bytes that wait in front of the link before it makes the sender wait.
    public var queueBytes: Int

    /// A link of this kind.
    public init(
        bitsPerSecond: Int? = nil, roundTrip: Duration = .zero, loss: Double = 0, queueBytes: Int = 16 << 10
    ) {
        self.bitsPerSecond = bitsPerSecond
        self.roundTrip = roundTrip
        self.loss = loss
        self.queueBytes = queueBytes
    }

    /// Bytes of the headers of IP and TCP, with the usual option, that travel with each segment.
    public static let headerBytes = 52
    /// Bytes of a segment's payload at most: what fits into a frame of Ethernet.
    public static let segmentBytes = 1448

    /// Reads a description such as `64kbit,600ms,2%`; parts may be left out. Nil if it is none.
    public init?(_ text: String) {
        self.init()
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            if let rate = Self.number(part, "kbit") {
                bitsPerSecond = Int(rate * 1000)
            } else if let rate = Self.number(part, "Mbit") {
                bitsPerSecond = Int(rate * 1_000_000)
            } else if let time = Self.number(part, "ms") {
                roundTrip = .microseconds(Int64(time * 1000))
            } else if let percent = Self.number(part, "%"), percent < 100 {
                loss = percent / 100
            } else {
                return nil
            }
        }
        guard bitsPerSecond ?? 1 > 0 else { return nil }
    }

    private static func number(_ text: Substring, _ unit: String) -> Double? {
        guard text.hasSuffix(unit), let value = Double(text.dropLast(unit.count)),
            (0...1_000_000).contains(value)
        else { return nil }
        return value
    }

    /// How long so many bytes take to be sent, headers included.
    public func time(for bytes: Int) -> Duration {
        guard let bitsPerSecond else { return .zero }
        return .nanoseconds(Int64(Double(bytes) * 8e9 / Double(bitsPerSecond)))
    }

    public var description: String {
        let rate = bitsPerSecond.map { "\(Double($0) / 1000) kbit/s" } ?? "any rate"
        return "\(rate), \(roundTrip) round trip, \(loss * 100) % loss"
    }
}
