// What the crypto layer reports, as people meet it: with one of Concord's stable codes.

import ConcordCrypto
import ConcordModel

extension ConcordError {
    /// The same failure with a stable code; `subject` says which file or key it is about.
    init(_ error: CryptoError, subject: String) {
        let code: ErrorCode =
            switch error.code {
            case .wrongPassphrase: .wrongPassphrase
            case .passphraseNeeded: .passphraseNeeded
            case .malformedKey: .malformedKey
            case .malformedCertificate: .malformedCertificate
            case .malformedRequest: .malformedCertificateRequest
            case .keyUnavailable: .keyUnavailable
            case .unsupportedAlgorithm: .malformedKey
            case .unusablePassphrase: .wrongPassphrase
            case .keyMismatch: .wrongAuthority
            case .cannotIssue: .malformedValue
            default: .cryptography
            }
        // A passphrase that was mistyped says nothing about the key, whatever OpenSSL made of the result.
        if code == .passphraseNeeded || error.code == .wrongPassphrase {
            let summary = code.entry.summary
            self.init(code, "\(subject): \(summary.hasSuffix(".") ? String(summary.dropLast()) : summary)")
            return
        }
        let sentence = error.message.hasSuffix(".") ? String(error.message.dropLast()) : error.message
        let reasons = error.reasons.isEmpty ? "" : " (\(error.reasons.joined(separator: "; ")))"
        self.init(code, "\(subject): \(sentence)\(reasons)", action: error.remedy)
    }

    /// Runs `work` and gives what the crypto layer throws a stable code.
    static func mappingCrypto<Result>(_ subject: String, _ work: () throws -> Result) throws -> Result {
        do {
            return try work()
        } catch let error as CryptoError {
            throw ConcordError(error, subject: subject)
        }
    }
}
