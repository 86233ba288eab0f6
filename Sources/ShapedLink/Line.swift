// One direction of a link. Segments leave one after another, each in the time that its bytes take, and arrive half a
// round trip later. A segment that is lost has taken its time all the same; its sender learns of it a round trip after
// it has left, and sends it once more. What is not modelled is that a sender of TCP then halves what it has on its way:
// at the rates and losses that are simulated here, that is still more than the link holds.

import NIOCore

/// One direction of a link; confined to its event loop.
final class Line {
    private let shape: LinkShape
    private let loop: any EventLoop
    private var random: UInt64
    private var freeAt = NIODeadline.uptimeNanoseconds(0)
    private(set) var traffic = ShapedLink.Traffic()

    init(_ shape: LinkShape, seed: UInt64, loop: any EventLoop) {
        self.shape = shape
        self.loop = loop
        random = seed
    }

    /// Sends a segment.
    ///
    /// - Parameters:
    ///   - earliest: before that it waits.
    ///   - left: called when it has left the queue, the first time.
    ///   - arrived: called when it has arrived.
    func send(
        bytes: Int, earliest: NIODeadline, left: @escaping () -> Void, arrived: @escaping () -> Void
    ) {
        traffic.payloadBytes += bytes
        transmit(bytes, earliest: earliest, left: left, arrived: arrived)
    }

    private func transmit(
        _ bytes: Int, earliest: NIODeadline, left: @escaping () -> Void, arrived: @escaping () -> Void
    ) {
        let total = bytes + LinkShape.headerBytes
        traffic.segments += 1
        traffic.bytes += total
        let gone = max(.now(), earliest, freeAt) + TimeAmount(shape.time(for: total))
        freeAt = gone
        guard isLost() else {
            after(gone, left)
            return after(gone + TimeAmount(shape.roundTrip / 2), arrived)
        }
        traffic.lostSegments += 1
        after(gone) {
            left()
            self.after(gone + TimeAmount(self.shape.roundTrip)) {
                self.transmit(bytes, earliest: .now(), left: {}, arrived: arrived)
            }
        }
    }

    private func after(_ time: NIODeadline, _ body: @escaping () -> Void) {
        guard time > .now() else { return body() }
        loop.assumeIsolated().scheduleTask(deadline: time, body)
    }

    private func isLost() -> Bool {
        guard shape.loss > 0 else { return false }
        // Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014
        random &+= 0x9e37_79b9_7f4a_7c15
        var mixed = random
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return Double((mixed ^ (mixed >> 31)) >> 11) / Double(1 << 53) < shape.loss
    }
}
