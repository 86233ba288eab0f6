// The limits of the transport, in one place: what a peer can make a node hold, and how long it can make it
// wait. A test passes smaller ones; a node uses the defaults.

/// What one listener, dialler or connection allows.
public struct TransportLimits: Sendable {
    /// From the connected socket to the end of the handshake.
    public var handshakeTime: Duration = .seconds(10)
    /// Bytes that a peer may send before its handshake is complete; a usual one has about 3 KiB.
    public var handshakeBytes = 128 * 1024
    /// Handshakes that a listener runs at once; of more the oldest gives way.
    public var concurrentHandshakes = 256
    /// Established connections that a listener keeps at once; more are turned away.
    public var connections = 1024
    /// Bytes of what a proxy answers before it passes anything on.
    public var proxyAnswerBytes = 16 * 1024
    /// Bytes of one frame's payload.
    public var frameBytes = 1024 * 1024 + 64
    /// A writer waits when this much is queued for the socket, and goes on below a quarter of it.
    public var queuedOutputBytes = 256 * 1024
    /// Nothing more is read from the socket when this much in frames waits for the reader; reading goes on
    /// below a quarter of it. What can wait in all is this, one delivery and one unfinished frame.
    public var queuedInputBytes = 256 * 1024
    /// Bytes that are decrypted at one go before the reader is asked again.
    public var deliveryBytes = 256 * 1024
    /// How long a closing side tries to hand over what is queued.
    public var flushTime: Duration = .seconds(30)
    /// How long a side that has closed waits for the other's end. Closing at once, with input unread, would
    /// make the kernel reset the connection and so destroy the last bytes, such as the alert that tells why.
    public var lingerTime: Duration = .seconds(2)
    /// Bytes that are read and thrown away meanwhile.
    public var lingerBytes = 4 * 1024 * 1024
    /// Bytes after which the sending keys are changed (KeyUpdate). AES-GCM allows 2^24.5 records, some 380
    /// GB, per key (RFC 8446 §5.5).
    public var keyUpdateBytes = 64 << 30

    /// The defaults.
    public init() {}
}
