// A text as it comes out of a file: UTF-8, and free of two things that editors put in without being asked. A byte order
// mark is no part of a text, and line ends that an editor turned into CR LF would count as an edit of every line. Both
// stay where the text that is written over has them: what was read out can be written back unchanged.

import ConcordAPI
import ConcordModel

/// The text of a file, made ready to be written over another text.
public struct TypedText: Hashable, Sendable {
    /// The text.
    public let text: String
    /// Whether a byte order mark stood at the beginning and was taken off.
    public let lostByteOrderMark: Bool
    /// How many line ends CR LF were made LF.
    public let convertedLineEnds: Int

    /// Reads the text of a file.
    ///
    /// - Parameters:
    ///   - bytes: What the file holds.
    ///   - base: The text over which it is written; empty for none.
    ///   - name: What the file is called in an error.
    /// - Throws: ``ConcordError`` E-1010, with the offset of the first byte that is not UTF-8.
    public init(_ bytes: [UInt8], over base: String = "", name: String) throws {
        if let offset = UTF8Check.firstFault(in: bytes) {
            let byte = String(bytes[offset], radix: 16)
            throw ConcordError(
                .unreadableFile,
                "\(name) is not text in UTF-8: the first byte that is not is 0x\(byte) at offset \(offset)",
                action: "save it as UTF-8; nothing was written")
        }
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        lostByteOrderMark = bytes.starts(with: mark) && !base.utf8.starts(with: mark)
        let content = lostByteOrderMark ? bytes[mark.count...] : bytes[...]
        guard !base.utf8.contains(Self.carriageReturn) else {
            text = String(decoding: content, as: UTF8.self)
            convertedLineEnds = 0
            return
        }
        let (converted, count) = Self.withLineFeeds(content)
        text = String(decoding: converted, as: UTF8.self)
        convertedLineEnds = count
    }

    /// What was changed on the way in, in a sentence each.
    public var remarks: [String] {
        var remarks: [String] = []
        if lostByteOrderMark { remarks.append("A byte order mark at the beginning was left out.") }
        if convertedLineEnds > 0 {
            let ends = Quantity.plural(Int64(convertedLineEnds), "line end", "line ends")
            remarks.append("\(ends) CR LF became LF.")
        }
        return remarks
    }

    private static let carriageReturn = UInt8(ascii: "\r")
    private static let lineFeed = UInt8(ascii: "\n")

    private static func withLineFeeds(_ bytes: ArraySlice<UInt8>) -> (bytes: [UInt8], count: Int) {
        guard bytes.contains(carriageReturn) else { return (Array(bytes), 0) }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var count = 0
        for index in bytes.indices {
            let next = index + 1
            if bytes[index] == carriageReturn, next < bytes.endIndex, bytes[next] == lineFeed {
                count += 1
            } else {
                result.append(bytes[index])
            }
        }
        return (result, count)
    }
}
