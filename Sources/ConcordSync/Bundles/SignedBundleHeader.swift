// A volume's header with the signature of the node that exported it, by the certificate that stands in the header.

import CBOR
import ConcordCrypto
import ConcordModel

/// A header under its exporter's signature.
public struct SignedBundleHeader: Hashable, Sendable {
    /// What is signed.
    public let header: BundleHeader
    /// The node's signature over the hash of the header's bytes.
    public let signature: Signature

    /// The node that exported the bundle.
    public var node: NodeID { NodeID(certificate: header.certificate) }

    /// Signs a header.
    ///
    /// - Parameter sign: signs the hash with the node's key, for ``SignaturePrefix/bundle``.
    /// - Throws: what `sign` throws.
    public init(_ header: BundleHeader, sign: (Digest) throws -> Signature) rethrows {
        self.header = header
        signature = try sign(SHA256.hash(header.encoded()))
    }

    /// Reads a header and checks its signature.
    ///
    /// - Throws: ``ConcordError`` E-3056 if it is of a later level, E-3052 if it is not what was signed.
    public init(encoded bytes: [UInt8]) throws {
        let content: [UInt8]
        do {
            var reader = CBORReader(bytes)
            try reader.array(count: 2)
            content = try reader.byteString(upTo: BundleLimits.headerBytes)
            header = try BundleHeader(encoded: content)
            guard let signature = Signature(bytes: try reader.byteString(count: Signature.byteCount)) else {
                throw BundleHeader.refusal("its signature is not in canonical form")
            }
            try reader.expectEnd()
            self.signature = signature
        } catch let error as CBORError {
            throw BundleHeader.refusal("its header cannot be read: \(error)")
        }
        guard header.certificate.publicKey.isValid(signature, for: SHA256.hash(content), as: .bundle) else {
            throw BundleHeader.refusal("its signature does not verify")
        }
    }

    /// `[header, signature]` in deterministic CBOR.
    public var encoded: [UInt8] { Self.encoded(header.encoded(), signature) }

    /// The same of a header in bytes, of which nothing is checked.
    public static func encoded(_ header: [UInt8], _ signature: Signature) -> [UInt8] {
        var writer = CBORWriter(capacity: header.count + 96)
        writer.array(2)
        writer.byteString(header)
        writer.byteString(signature.bytes)
        return writer.bytes
    }
}
