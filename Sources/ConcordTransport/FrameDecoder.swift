// Frames on a byte stream: four bytes of length, big-endian, then that many bytes. A length of zero or beyond
// the limit is refused as soon as it is read, so that no peer makes a node wait for, or hold, more than one
// frame of the allowed size.

import NIOCore

/// Cuts a byte stream into frames.
package struct FrameDecoder {
    /// Bytes of the length in front of each frame.
    static let headerBytes = 4

    private var buffer = ByteBuffer()
    private let limit: Int

    package init(limit: Int) { self.limit = limit }

    /// Whether the stream stands in the middle of a frame.
    var isInsideFrame: Bool { buffer.readableBytes > 0 }

    /// Adds bytes of the stream.
    package mutating func append(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            buffer.discardReadBytes()
            buffer.writeImmutableBuffer(bytes)
        }
    }

    /// The next complete frame, or nil if more bytes are needed.
    package mutating func next() throws(TransportError) -> [UInt8]? {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self) else { return nil }
        guard length > 0 else { throw TransportError(.emptyFrame) }
        guard length <= limit else {
            throw TransportError(.frameTooLarge, detail: "\(length) bytes, where \(limit) are allowed")
        }
        guard let frame = buffer.getBytes(at: buffer.readerIndex + Self.headerBytes, length: Int(length))
        else {
            return nil
        }
        buffer.moveReaderIndex(forwardBy: Self.headerBytes + Int(length))
        return frame
    }

    /// `frame` with its length in front.
    static func encode(_ frame: [UInt8], allocator: ByteBufferAllocator) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: headerBytes + frame.count)
        buffer.writeInteger(UInt32(frame.count))
        buffer.writeBytes(frame)
        return buffer
    }
}
