// The limits that this module enforces on what comes from outside, in one place.

/// Limits on keys, certificates and passphrases.
public enum CryptoLimits {
    /// Bytes of one certificate in DER; those that Concord issues have about 700.
    public static let certificateBytes = 16 * 1024
    /// Certificates in one PEM text and in what a TLS peer presents.
    public static let certificatesInChain = 4
    /// Bytes of one certificate request in DER; those that Concord makes have about 350.
    public static let requestBytes = 16 * 1024
    /// Requests in one PEM text: one per key of a node.
    public static let requestsInFile = 2
    /// Characters of each part of a certificate's subject (the upper bounds of X.520).
    public static let subjectCharacters = 64
    /// Bytes of a passphrase, OpenSSL's PEM buffer.
    public static let passphraseBytes = 1024
    /// Bytes of a PEM text that is read.
    public static let pemBytes = 256 * 1024
    /// Rounds of PBKDF2 with HMAC-SHA-256 for an encrypted key: about 0.15 s.
    public static let passphraseIterations: Int32 = 600_000
    /// Recipients of one envelope.
    public static let envelopeRecipients = 256
    /// Bytes of an envelope before its content: the recipients take about 190 each.
    public static let envelopeHeadBytes = 256 * 1024
}
