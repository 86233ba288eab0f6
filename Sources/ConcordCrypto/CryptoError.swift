// What can go wrong with keys, certificates and signatures. Every error has a code that programs may rely on,
// a sentence for people, OpenSSL's own reasons where it gave any, and the next step where there is one.

import COpenSSL

/// A failure of a cryptographic operation, caused by what a file, a peer or a person supplied, or by the
/// library.
public struct CryptoError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure; more may be added.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The stable name.
        public let rawValue: String
        /// A code of this name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// Not a key, or not one in the expected encoding.
        public static let malformedKey = Code(rawValue: "crypto.malformed-key")
        /// The passphrase does not open the key.
        public static let wrongPassphrase = Code(rawValue: "crypto.wrong-passphrase")
        /// The key is encrypted and no passphrase was given.
        public static let passphraseNeeded = Code(rawValue: "crypto.passphrase-needed")
        /// The passphrase is empty or too long.
        public static let unusablePassphrase = Code(rawValue: "crypto.unusable-passphrase")
        /// Not a certificate, or not one that Concord can read.
        public static let malformedCertificate = Code(rawValue: "crypto.malformed-certificate")
        /// Not a certificate request, or one whose signature its own key did not make.
        public static let malformedRequest = Code(rawValue: "crypto.malformed-request")
        /// A key that stands behind a URI, or the provider that reaches it, cannot be loaded.
        public static let keyUnavailable = Code(rawValue: "crypto.key-unavailable")
        /// A key or signature of another algorithm than ECDSA P-256 with SHA-256.
        public static let unsupportedAlgorithm = Code(rawValue: "crypto.unsupported-algorithm")
        /// A certificate cannot be issued as asked.
        public static let cannotIssue = Code(rawValue: "crypto.cannot-issue")
        /// The key could not sign.
        public static let signingFailed = Code(rawValue: "crypto.signing-failed")
        /// Key and certificate do not belong together.
        public static let keyMismatch = Code(rawValue: "crypto.key-mismatch")
        /// Not an envelope of CMS, or not in the form that Concord reads.
        public static let malformedEnvelope = Code(rawValue: "crypto.malformed-envelope")
        /// An envelope that ends before its own end.
        public static let truncatedEnvelope = Code(rawValue: "crypto.truncated-envelope")
        /// An envelope that is encrypted to other keys.
        public static let notARecipient = Code(rawValue: "crypto.not-a-recipient")
        /// An envelope whose content, or the key to it, is not what was encrypted.
        public static let alteredEnvelope = Code(rawValue: "crypto.altered-envelope")
        /// OpenSSL failed for a reason of its own.
        public static let library = Code(rawValue: "crypto.library")
    }

    /// The stable code.
    public let code: Code
    /// A sentence for people.
    public let message: String
    /// What OpenSSL said, oldest first; often empty.
    public let reasons: [String]
    /// What to do next, if there is something to do.
    public let remedy: String?

    /// An error of this code; takes along, and empties, the error queue of OpenSSL on this thread.
    public init(_ code: Code, _ message: String, remedy: String? = nil) {
        self.code = code
        self.message = message
        self.remedy = remedy
        reasons = OpenSSL.takeErrors()
    }

    /// Code, sentence, OpenSSL's reasons and the remedy in one line.
    public var description: String {
        let details = reasons.isEmpty ? "" : " (\(reasons.joined(separator: "; ")))"
        return "\(code.rawValue): \(message)\(details)" + (remedy.map { " \($0)" } ?? "")
    }
}
