// Base64 (RFC 4648, section 4) for the few byte strings in JSON. Padding is required, line breaks are not
// taken: one byte string has one text.

import Foundation

enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    /// The bytes, or nil if the text is not base64 in its one form.
    static func decode(_ text: String) -> [UInt8]? {
        guard let data = Data(base64Encoded: text) else { return nil }
        let bytes = [UInt8](data)
        return encode(bytes) == text ? bytes : nil
    }
}
