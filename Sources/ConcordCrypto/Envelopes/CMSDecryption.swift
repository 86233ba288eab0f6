// Opens an envelope. What comes out before the end is not authenticated yet: whether the content is what was encrypted
// shows only when ``CMSDecryption/finish()`` returns. Until then it may be stored, and must not be looked at.

import COpenSSL

/// Decrypts a content in pieces.
public final class CMSDecryption {
    private let cms: OpaquePointer
    private let chain: OpaquePointer
    private let sink: OpaquePointer

    /// Opens an envelope with a recipient's key.
    ///
    /// - Parameters:
    ///   - tail: the ``CMSEnvelope/tailByteCount`` bytes after the content.
    ///   - certificate: any certificate of the key.
    /// - Throws: ``CryptoError`` with code `.notARecipient`, `.alteredEnvelope` or `.malformedEnvelope`.
    public init(
        _ envelope: CMSEnvelope, tail: [UInt8], key: PrivateKey, certificate: Certificate
    ) throws {
        ERR_clear_error()
        let der = envelope.withoutContent(tail: tail)
        let read = der.withUnsafeBufferPointer { buffer in
            var start = buffer.baseAddress
            return d2i_CMS_ContentInfo(nil, &start, buffer.count)
        }
        guard let read else {
            throw CryptoError(.malformedEnvelope, "OpenSSL cannot read the envelope.")
        }
        do {
            guard CMS_decrypt_set1_pkey(read, key.pointer, certificate.pointer) == 1 else {
                // Where no recipient has this key, OpenSSL says so or says nothing at all.
                let reason = ERR_peek_last_error()
                let isForOthers = reason == 0 || ERR_GET_REASON(reason) == CMS_R_NO_MATCHING_RECIPIENT
                throw isForOthers
                    ? CryptoError(.notARecipient, "The envelope is encrypted to other keys.")
                    : CryptoError(.alteredEnvelope, "The key does not open the envelope.")
            }
            guard let sink = BIO_new(BIO_s_mem()) else {
                throw CryptoError(.library, "OpenSSL is out of memory.")
            }
            guard let chain = CMS_dataInit(read, sink) else {
                BIO_free(sink)
                throw CryptoError(.malformedEnvelope, "OpenSSL cannot decrypt what the envelope holds.")
            }
            cms = read
            self.sink = sink
            self.chain = chain
        } catch {
            CMS_ContentInfo_free(read)
            throw error
        }
    }

    deinit {
        BIO_free_all(chain)
        CMS_ContentInfo_free(cms)
    }

    /// Decrypts the next piece of the content.
    public func update(_ bytes: [UInt8]) throws -> [UInt8] {
        ERR_clear_error()
        guard !bytes.isEmpty else { return [] }
        let written = bytes.withUnsafeBytes { BIO_write(chain, $0.baseAddress, Int32($0.count)) }
        guard written == bytes.count else {
            throw CryptoError(.alteredEnvelope, "The envelope cannot be decrypted.")
        }
        return try MemoryBIO.drain(sink)
    }

    /// Ends the content.
    ///
    /// - Returns: its last bytes.
    /// - Throws: ``CryptoError`` with code `.alteredEnvelope` if any of it is not what was encrypted.
    public func finish() throws -> [UInt8] {
        ERR_clear_error()
        guard concord_bio_flush(chain) == 1, concord_bio_cipher_succeeded(chain) == 1 else {
            throw CryptoError(.alteredEnvelope, "What the envelope holds was altered.")
        }
        return try MemoryBIO.drain(sink)
    }
}
