// How the model's own types stand in CBOR, for everything that encodes them: changes, acts, messages, stored state.

import CBOR
import ConcordCrypto
import ConcordText

extension CBORWriter {
    /// Writes dots as an array of `[replica, sequence]`.
    public mutating func dots(_ dots: [Dot]) {
        array(dots.count)
        for dot in dots { self.dot(dot) }
    }

    /// Writes one dot.
    public mutating func dot(_ dot: Dot) {
        array(2)
        byteString(high: dot.replica.value.high, low: dot.replica.value.low)
        unsigned(dot.sequence)
    }

    /// Writes dependencies as an array of `[replica, sequence, mark]`.
    public mutating func dependencies(_ dependencies: [Dependency]) {
        array(dependencies.count)
        for dependency in dependencies {
            array(3)
            byteString(high: dependency.dot.replica.value.high, low: dependency.dot.replica.value.low)
            unsigned(dependency.dot.sequence)
            byteString(high: dependency.mark.high, low: dependency.mark.low)
        }
    }

    /// Writes a timestamp as a byte string of 6 bytes, big-endian.
    mutating func clock(_ milliseconds: Int64) {
        byteString((0..<6).map { UInt8(truncatingIfNeeded: milliseconds >> (40 - 8 * $0)) })
    }

    /// Writes a value: an integer, a byte string or a text string; an empty array for one that was erased.
    public mutating func value(_ value: Value) {
        switch value {
        case .integer(let number): integer(number)
        case .bytes(let bytes): byteString(bytes)
        case .text(let text): self.text(text.string)
        case .erased: array(0)
        }
    }

    /// Writes a hash as a byte string of 32 bytes.
    public mutating func digest(_ digest: Digest) { digest.withUnsafeBytes { byteString($0) } }
}

extension CBORReader {
    /// Reads dots, which must be ascending and without repetition.
    public mutating func dots(upTo maximum: Int) throws -> [Dot] {
        let count = try array(upTo: maximum)
        var dots: [Dot] = []
        dots.reserveCapacity(count)
        for _ in 0..<count {
            let next = try dot()
            if let last = dots.last, last >= next {
                throw ConcordError(.malformedChange, "dots are not in ascending order")
            }
            dots.append(next)
        }
        return dots
    }

    /// Reads dependencies, which must be ascending and without repetition.
    public mutating func dependencies(upTo maximum: Int) throws -> [Dependency] {
        let count = try array(upTo: maximum)
        var dependencies: [Dependency] = []
        dependencies.reserveCapacity(count)
        for _ in 0..<count {
            try array(count: 3)
            let dot = try partsOfDot()
            let words = try twoWords()
            let next = Dependency(dot, mark: Bytes16(high: words.high, low: words.low))
            if let last = dependencies.last, last >= next {
                throw ConcordError(.malformedChange, "dependencies are not in ascending order")
            }
            dependencies.append(next)
        }
        return dependencies
    }

    /// Reads one dot, whose sequence is at least 1.
    public mutating func dot() throws -> Dot {
        try array(count: 2)
        return try partsOfDot()
    }

    private mutating func partsOfDot() throws -> Dot {
        let words = try twoWords()
        let replica = ReplicaID(Bytes16(high: words.high, low: words.low))
        let sequence = try unsigned()
        guard sequence > 0, sequence <= UInt64(Int64.max) else {
            throw ConcordError(.malformedChange, "a sequence is \(sequence)")
        }
        return Dot(replica, sequence)
    }

    /// Reads a value of at most ``Limits/valueBytes`` bytes.
    public mutating func value() throws -> Value {
        switch try nextType() {
        case .unsigned, .negative: .integer(try integer())
        case .bytes: .bytes(try byteString(upTo: Limits.valueBytes))
        default: .text(UTF8Text(try text(upTo: Limits.valueBytes)))
        }
    }

    /// Reads a hash.
    public mutating func digest() throws -> Digest { Digest(bytes: try byteString(count: 32))! }

    /// Reads a timestamp.
    mutating func clock() throws -> Int64 {
        Int64(try byteString(count: 6).reduce(0) { $0 << 8 | UInt64($1) })
    }

    mutating func parentRecord() throws -> RecordID {
        let words = try twoWords()
        return RecordID(Bytes16(high: words.high, low: words.low))
    }

    mutating func optionalRecord() throws -> RecordID? {
        let bytes = try byteString(upTo: 16)
        guard bytes.isEmpty || bytes.count == 16 else {
            throw ConcordError(.malformedChange, "a record id has \(bytes.count) bytes instead of 16")
        }
        return RecordID(bytes: bytes)
    }

    mutating func textRuns() throws -> [TextRun] {
        let count = try array(upTo: Limits.textRuns)
        var runs: [TextRun] = []
        for _ in 0..<count {
            try array(count: 3)
            runs.append(TextRun(position: try unsigned(), deleted: try unsigned(), inserted: try unsigned()))
        }
        return runs
    }

    mutating func binding() throws -> Binding {
        let certificate = try byteString(upTo: Limits.certificateBytes)
        let member = MemberID(try digest())
        let named = try byteString(upTo: Digest.byteCount)
        let issuer = Digest(bytes: named)
        guard named.isEmpty || issuer != nil && issuer != member.digest else {
            throw ConcordError(.malformedChange, "the issuer of a certificate is not named in its one form")
        }
        let words = try twoWords()
        return Binding(
            certificate: certificate, member: member, issuer: issuer,
            nonce: Bytes16(high: words.high, low: words.low))
    }

    mutating func signedAct() throws -> SignedAct {
        let act = try byteString(upTo: Limits.actBytes)
        let signer = MemberID(try digest())
        let bytes = try byteString(count: Signature.byteCount)
        guard let signature = Signature(bytes: bytes) else {
            throw ConcordError(.malformedChange, "the signature under an act is not in canonical form")
        }
        return SignedAct(act: act, signer: signer, signature: signature)
    }
}
