// What is fuzzed: everything that reads bytes which somebody else made. Each target takes any bytes, must come to an end
// with a value or an error, and traps where something does not hold that always should; libFuzzer (Deploy/fuzz) looks for
// bytes that make one trap, and what it ever found is tried again with all tests (Tests/Fuzz/Replay).

/// One reader of foreign bytes.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// Items of deterministic CBOR.
    case cbor
    /// Frames on a byte stream, cut anywhere.
    case stream
    /// Messages of the exchange, packed ones too.
    case message
    /// A session with a peer that says what it likes, when it likes.
    case session
    /// Changes in their stored form.
    case change
    /// Formal acts, and files that carry them.
    case act
    /// Charters, invites, receipts and manifests of attachments.
    case document
    /// Certificates and requests that peers and people hand over, as DER and as PEM.
    case certificate
    /// Edits of a text that merges, and its stored history.
    case text
    /// JSON of the local API, and the lines of an import.
    case json
    /// The configuration.
    case configuration
    /// Volumes of bundles: envelopes, headers and contents.
    case bundle

    /// Reads the bytes.
    public func run(_ bytes: [UInt8]) {
        switch self {
        case .cbor: CBORFuzz.run(bytes)
        case .stream: StreamFuzz.run(bytes)
        case .message: MessageFuzz.run(bytes)
        case .session: SessionFuzz.run(bytes)
        case .change: ChangeFuzz.run(bytes)
        case .act: ActFuzz.run(bytes)
        case .document: DocumentFuzz.run(bytes)
        case .certificate: CertificateFuzz.run(bytes)
        case .text: TextFuzz.run(bytes)
        case .json: JSONFuzz.run(bytes)
        case .configuration: ConfigurationFuzz.run(bytes)
        case .bundle: BundleFuzz.run(bytes)
        }
    }

    /// Bytes that are as they should be, from which a search for others begins.
    public var seeds: [[UInt8]] {
        switch self {
        case .cbor: [FuzzSeeds.change.encoded(), FuzzSeeds.charter.encoded]
        case .stream: FuzzSeeds.messages.map { [0, 0, 0, UInt8(truncatingIfNeeded: $0.count)] + $0 }
        case .message: FuzzSeeds.messages
        case .session: SessionFuzz.seeds
        case .change: [FuzzSeeds.change.encoded()]
        case .act: FuzzSeeds.acts
        case .document: [FuzzSeeds.charter.encoded, FuzzSeeds.invite, FuzzSeeds.manifest]
        case .certificate: FuzzSeeds.certificates
        case .text: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]]
        case .json: FuzzSeeds.json
        case .configuration: FuzzSeeds.configurations
        case .bundle: BundleFuzz.seeds
        }
    }
}

/// Bytes from which a target takes its decisions one after another; where they end, all that follows is zero.
struct FuzzInput {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position >= bytes.count }

    mutating func byte() -> UInt8 {
        guard position < bytes.count else { return 0 }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func number(below bound: Int) -> Int {
        bound <= 256 ? Int(byte()) % bound : (Int(byte()) << 8 | Int(byte())) % bound
    }

    /// Some bytes, preceded by their number.
    mutating func bytes(upTo maximum: Int) -> [UInt8] {
        let count = min(Int(byte()) << 8 | Int(byte()), maximum, max(0, bytes.count - position))
        defer { position += count }
        return Array(bytes[position..<position + count])
    }
}

/// Stops the process if something does not hold that always should.
func always(_ condition: Bool, _ what: String) { precondition(condition, what) }
