// Whether bytes are UTF-8, and where they cease to be: a person who saved a file in another encoding is told the byte.

/// UTF-8 as Unicode defines it (chapter 3.9, table 3-7): no overlong forms, no surrogates, nothing beyond U+10FFFF.
public enum UTF8Check {
    /// The offset of the first byte at which `bytes` cease to be UTF-8: where the first ill-formed sequence begins. Nil
    /// if all of them are. O(n).
    public static func firstFault(in bytes: some Sequence<UInt8>) -> Int? {
        var parser = Unicode.UTF8.ForwardParser()
        var input = bytes.makeIterator()
        var offset = 0
        while true {
            switch parser.parseScalar(from: &input) {
            case .valid(let scalar): offset += scalar.count
            case .emptyInput: return nil
            case .error: return offset
            }
        }
    }
}
