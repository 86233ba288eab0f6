// Small helpers over OpenSSL's C interface: its error queue, memory BIOs and DER output. The error queue
// belongs to the thread, so operations clear it before they start, and errors take it along when they are
// made.

import COpenSSL

enum OpenSSL {
    /// Removes and describes the errors queued on this thread, oldest first.
    static func takeErrors() -> [String] {
        var errors: [String] = []
        while case let code = ERR_get_error(), code != 0 { errors.append(describe(code)) }
        return errors
    }

    /// OpenSSL's sentence for one of its error codes.
    static func describe(_ code: UInt) -> String {
        var text = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(code, &text, text.count)
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Collects what `encode` writes with one of OpenSSL's `i2d_` functions.
    static func encoded(_ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>) -> Int32) throws
        -> [UInt8]
    {
        ERR_clear_error()
        var buffer: UnsafeMutablePointer<UInt8>?
        let count = encode(&buffer)
        guard count > 0, let buffer else {
            throw CryptoError(.library, "OpenSSL could not encode an object.")
        }
        defer { concord_free(buffer) }
        return Array(UnsafeBufferPointer(start: buffer, count: Int(count)))
    }

    /// Collects the text that `write` puts into a memory BIO.
    static func text(_ write: (OpaquePointer) -> Int32) throws -> String {
        ERR_clear_error()
        guard let bio = BIO_new(BIO_s_secmem()) else {
            throw CryptoError(.library, "OpenSSL is out of memory.")
        }
        defer { BIO_free(bio) }
        guard write(bio) == 1 else { throw CryptoError(.library, "OpenSSL could not write PEM text.") }
        var data: UnsafeMutablePointer<CChar>?
        let count = concord_bio_memory(bio, &data)
        guard count > 0, let data else { throw CryptoError(.library, "OpenSSL wrote no PEM text.") }
        return String(decoding: UnsafeRawBufferPointer(start: data, count: count), as: UTF8.self)
    }

    /// Runs `body` with a BIO that reads the bytes of `text`.
    static func reading<Result>(_ text: String, _ body: (OpaquePointer) throws -> Result) throws -> Result {
        ERR_clear_error()
        let bytes = Array(text.utf8)
        return try bytes.withUnsafeBytes { buffer in
            guard
                let bio = BIO_new_mem_buf(
                    buffer.baseAddress ?? UnsafeRawPointer(bitPattern: 1), Int32(buffer.count))
            else { throw CryptoError(.library, "OpenSSL is out of memory.") }
            defer { BIO_free(bio) }
            return try body(bio)
        }
    }
}
