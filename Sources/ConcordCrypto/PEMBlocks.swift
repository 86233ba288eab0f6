// PEM text (RFC 7468) that holds blocks of one kind and nothing else. Text between the blocks is let be, as other
// tools write it; a block of another kind, such as a private key that somebody pasted along, is refused.

import COpenSSL

/// A kind of PEM block, and how many of it a text may hold.
struct PEMBlocks {
    /// The label between the dashes.
    let label: String
    /// What one block holds, for messages.
    let noun: String
    /// The most blocks of a text.
    let maximum: Int
    /// What is thrown.
    let failure: CryptoError.Code

    /// Certificates.
    static let certificates = PEMBlocks(
        label: PEM_STRING_X509, noun: "certificate", maximum: CryptoLimits.certificatesInChain,
        failure: .malformedCertificate)
    /// Certificate requests.
    static let requests = PEMBlocks(
        label: PEM_STRING_X509_REQ, noun: "certificate request", maximum: CryptoLimits.requestsInFile,
        failure: .malformedRequest)

    /// The DER inside each block of `pem`, at least one.
    func read(_ pem: String) throws -> [[UInt8]] {
        guard pem.utf8.count <= CryptoLimits.pemBytes else {
            throw CryptoError(failure, "The PEM text has more than \(CryptoLimits.pemBytes) bytes.")
        }
        let blocks = try OpenSSL.reading(pem) { bio in
            var blocks: [[UInt8]] = []
            while let block = try next(bio) {
                guard blocks.count < maximum else {
                    throw CryptoError(failure, "The PEM text holds more than \(maximum) \(noun)s.")
                }
                blocks.append(block)
            }
            return blocks
        }
        guard !blocks.isEmpty else { throw CryptoError(failure, "The text holds no \(noun) in PEM.") }
        return blocks
    }

    private func next(_ bio: OpaquePointer) throws -> [UInt8]? {
        var name: UnsafeMutablePointer<CChar>?
        var header: UnsafeMutablePointer<CChar>?
        var data: UnsafeMutablePointer<UInt8>?
        var count = 0
        guard PEM_read_bio(bio, &name, &header, &data, &count) == 1 else {
            let error = ERR_peek_last_error()
            if ERR_GET_LIB(error) == ERR_LIB_PEM, ERR_GET_REASON(error) == PEM_R_NO_START_LINE {
                ERR_clear_error()
                return nil
            }
            throw CryptoError(failure, "The PEM text is damaged.")
        }
        defer {
            concord_free(name)
            concord_free(header)
            concord_free(data)
        }
        guard let name, let data, String(cString: name) == label else {
            throw CryptoError(
                failure, "The PEM text holds something else than \(noun)s.",
                remedy: "Keep keys, requests and certificates in files of their own.")
        }
        return Array(UnsafeBufferPointer(start: data, count: count))
    }
}
