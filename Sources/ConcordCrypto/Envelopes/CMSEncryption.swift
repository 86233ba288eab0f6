// Makes an envelope: a random key encrypts the content with AES-256-GCM, and each recipient gets it by key agreement
// (RFC 5753: an ephemeral key on P-256, ECDH, the X9.63 KDF with SHA-256, AES-256 key wrap). A recipient is named by the
// identifier of its key and not by its certificate, so that a renewed certificate opens what came before.

import COpenSSL

/// Encrypts a content in pieces.
public final class CMSEncryption {
    private let cms: OpaquePointer
    /// The cipher, then ``sink``.
    private let chain: OpaquePointer
    private let sink: OpaquePointer
    private var byteCount = 0

    /// Begins an envelope.
    ///
    /// - Parameter recipients: certificates for key agreement, 1 to ``CryptoLimits/envelopeRecipients``.
    /// - Throws: ``CryptoError`` with code `.library`, or `.malformedCertificate` for one with another purpose.
    public init(recipients: [Certificate]) throws {
        precondition((1...CryptoLimits.envelopeRecipients).contains(recipients.count))
        ERR_clear_error()
        let flags = UInt32(CMS_BINARY | CMS_PARTIAL | CMS_DETACHED | CMS_STREAM)
        guard let cms = CMS_encrypt(nil, nil, EVP_aes_256_gcm(), flags) else {
            throw CryptoError(.library, "OpenSSL cannot begin an envelope.")
        }
        do {
            for recipient in recipients { try Self.add(recipient, to: cms) }
            guard CMS_set_detached(cms, 1) == 1, let sink = BIO_new(BIO_s_mem()) else {
                throw CryptoError(.library, "OpenSSL cannot begin an envelope.")
            }
            guard let chain = CMS_dataInit(cms, sink) else {
                BIO_free(sink)
                throw CryptoError(.library, "OpenSSL cannot begin an envelope.")
            }
            self.cms = cms
            self.sink = sink
            self.chain = chain
        } catch {
            CMS_ContentInfo_free(cms)
            throw error
        }
    }

    deinit {
        BIO_free_all(chain)
        CMS_ContentInfo_free(cms)
    }

    private static func add(_ recipient: Certificate, to cms: OpaquePointer) throws {
        guard recipient.purpose == .agreement else {
            throw CryptoError(
                .malformedCertificate, "The certificate of \(recipient) is not made for key agreement.")
        }
        let flags = UInt32(CMS_USE_KEYID | CMS_KEY_PARAM)
        guard let information = CMS_add1_recipient_cert(cms, recipient.pointer, flags),
            let parameters = CMS_RecipientInfo_get0_pkey_ctx(information),
            EVP_PKEY_CTX_set_ecdh_kdf_md(parameters, EVP_sha256()) > 0
        else { throw CryptoError(.library, "OpenSSL cannot encrypt to the certificate of \(recipient).") }
    }

    /// Encrypts the next piece of the content.
    ///
    /// - Returns: the next bytes of the encrypted content.
    public func update(_ bytes: [UInt8]) throws -> [UInt8] {
        ERR_clear_error()
        guard !bytes.isEmpty else { return [] }
        let written = bytes.withUnsafeBytes { BIO_write(chain, $0.baseAddress, Int32($0.count)) }
        guard written == bytes.count else {
            throw CryptoError(.library, "OpenSSL cannot go on with an envelope.")
        }
        byteCount += bytes.count
        return try MemoryBIO.drain(sink)
    }

    /// Ends the content.
    ///
    /// - Returns: its last bytes, and what stands before and after it in the file.
    public func finish() throws -> (rest: [UInt8], head: [UInt8], tail: [UInt8]) {
        ERR_clear_error()
        guard concord_bio_flush(chain) == 1, CMS_dataFinal(cms, chain) == 1 else {
            throw CryptoError(.library, "OpenSSL cannot end an envelope.")
        }
        let rest = try MemoryBIO.drain(sink)
        let der = try OpenSSL.encoded { i2d_CMS_ContentInfo(cms, $0) }
        let envelope = try CMSEnvelope(withoutContent: der, contentCount: byteCount)
        return (rest, envelope.head, Array(der.suffix(CMSEnvelope.tailByteCount)))
    }
}

/// What gathers at the end of a chain of filters.
enum MemoryBIO {
    /// Takes out all bytes.
    static func drain(_ bio: OpaquePointer) throws -> [UInt8] {
        var data: UnsafeMutablePointer<CChar>?
        let count = concord_bio_memory(bio, &data)
        guard count > 0, let data else { return [] }
        let bytes = [UInt8](UnsafeRawBufferPointer(start: data, count: count))
        guard concord_bio_reset(bio) == 1 else { throw CryptoError(.library, "OpenSSL is out of memory.") }
        return bytes
    }
}
