// ECDSA signatures over P-256 in the one form that Concord accepts: r and s as 32 big-endian bytes each, 0 <
// r < n and 0 < s ≤ n/2. ECDSA alone allows a second s for every signature; refusing it makes the bytes of a
// signature unique to its making, so that nobody can turn one valid record into another (FIPS 186-5; the rule
// is that of BIP 146).

import COpenSSL

/// A signature r‖s with low s.
public struct Signature: Hashable, Sendable {
    /// The number of bytes of every signature.
    public static let byteCount = 64

    /// r‖s.
    public let bytes: [UInt8]

    /// The signature with these bytes, or nil unless there are 64 with r and s in range and s low.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        let all = Array(bytes)
        let (r, s) = (all[..<32], all[32...])
        guard r.contains(where: { $0 != 0 }), s.contains(where: { $0 != 0 }),
            r.lexicographicallyPrecedes(Self.order), !Self.halfOrder.lexicographicallyPrecedes(s)
        else { return nil }
        self.bytes = all
    }

    /// The signature that OpenSSL encoded as DER, its s made low.
    init(der: [UInt8]) throws {
        var components = try Self.components(der: der)
        if Self.halfOrder.lexicographicallyPrecedes(components.s) {
            components.s = Self.difference(Self.order, components.s)
        }
        guard let signature = Signature(bytes: components.r + components.s) else {
            throw CryptoError(.signingFailed, "The key made a signature that is out of range.")
        }
        self = signature
    }

    /// The DER form, SEQUENCE { INTEGER r, INTEGER s }, as OpenSSL verifies it.
    func der() throws -> [UInt8] {
        ERR_clear_error()
        guard let signature = ECDSA_SIG_new() else {
            throw CryptoError(.library, "OpenSSL is out of memory.")
        }
        defer { ECDSA_SIG_free(signature) }
        guard let r = BN_bin2bn(Array(bytes[..<32]), 32, nil) else {
            throw CryptoError(.library, "OpenSSL is out of memory.")
        }
        guard let s = BN_bin2bn(Array(bytes[32...]), 32, nil) else {
            BN_free(r)
            throw CryptoError(.library, "OpenSSL is out of memory.")
        }
        guard ECDSA_SIG_set0(signature, r, s) == 1 else {
            BN_free(r)
            BN_free(s)
            throw CryptoError(.library, "OpenSSL could not assemble a signature.")
        }
        return try OpenSSL.encoded { i2d_ECDSA_SIG(signature, $0) }
    }

    private static func components(der: [UInt8]) throws -> (r: [UInt8], s: [UInt8]) {
        ERR_clear_error()
        return try der.withUnsafeBufferPointer { buffer in
            var start = buffer.baseAddress
            guard let signature = d2i_ECDSA_SIG(nil, &start, buffer.count) else {
                throw CryptoError(.signingFailed, "The key made a signature that cannot be read.")
            }
            defer { ECDSA_SIG_free(signature) }
            var r = [UInt8](repeating: 0, count: 32)
            var s = r
            guard BN_bn2binpad(ECDSA_SIG_get0_r(signature), &r, 32) == 32,
                BN_bn2binpad(ECDSA_SIG_get0_s(signature), &s, 32) == 32
            else { throw CryptoError(.signingFailed, "The key made a signature that is out of range.") }
            return (r, s)
        }
    }

    /// a - b for a ≥ b, both 32 bytes, big-endian. Signatures are public: the time may depend on them.
    private static func difference(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
        var result = a
        var borrow = 0
        for index in result.indices.reversed() {
            let value = Int(a[index]) - Int(b[index]) - borrow
            borrow = value < 0 ? 1 : 0
            result[index] = UInt8(truncatingIfNeeded: value)
        }
        return result
    }

    /// n, the order of the group of P-256 (SEC 2, secp256r1).
    static let order: [UInt8] = [
        0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
    ]

    /// ⌊n/2⌋
    static let halfOrder: [UInt8] = [
        0x7F, 0xFF, 0xFF, 0xFF, 0x80, 0x00, 0x00, 0x00, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xDE, 0x73, 0x7D, 0x56, 0xD3, 0x8B, 0xCF, 0x42, 0x79, 0xDC, 0xE5, 0x61, 0x7E, 0x31, 0x92, 0xA8,
    ]
}

/// What a signature is for. It stands before the hash in what is signed, so that a signature of one kind is
/// never one of another.
public enum SignaturePrefix: String, CaseIterable, Sendable {
    /// A change of a replica's log.
    case change = "concord/1 change"
    /// A formal act of a member.
    case act = "concord/1 act"
    /// A receipt for what a node holds durably.
    case receipt = "concord/1 receipt"
    /// An invitation to a space.
    case invite = "concord/1 invite"
    /// A bundle of changes for couriers.
    case bundle = "concord/1 bundle"
    /// The founding statement of a space.
    case charter = "concord/1 charter"

    /// What is signed: the prefix in UTF-8, then the 32 bytes of the hash.
    func message(_ hash: Digest) -> [UInt8] {
        var message = Array(rawValue.utf8)
        hash.append(to: &message)
        return message
    }
}
