// Random numbers for keys, identifiers and salts, from OpenSSL's generator (which the operating system
// seeds).

import COpenSSL

/// The cryptographic random number generator.
public enum Randomness {
    /// `count` unpredictable bytes.
    ///
    /// - Throws: ``CryptoError`` with code `.library` if the generator fails, for example unseeded in a
    ///   sandbox.
    public static func bytes(_ count: Int) throws -> [UInt8] {
        precondition(count >= 0 && count <= Int(Int32.max), "A random string has 0 to 2³¹-1 bytes.")
        ERR_clear_error()
        var bytes = [UInt8](repeating: 0, count: count)
        guard count == 0 || RAND_bytes(&bytes, Int32(count)) == 1 else {
            throw CryptoError(.library, "OpenSSL's random number generator failed.")
        }
        return bytes
    }
}
