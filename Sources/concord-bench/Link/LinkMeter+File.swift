// Changes that are written while a file crosses the same link: how long they wait for it, and whether the file goes on
// where it stopped when the link breaks.

import Foundation

extension LinkMeasurement {
    /// Changes beside a file.
    struct Beside: Encodable {
        let fileBytes: Int
        /// One change while the file is fetched, from the request until it was durable on the other side.
        let change: Distribution
        /// Bytes of the file that crossed meanwhile, in a second.
        let fileBytesPerSecond: Double
        /// The part of the link's rate that the file had.
        let share: Double
        /// Bytes of the file that were held when the link broke.
        let heldBeforeBreak: Int64
        /// Bytes of it that were held when its first piece came after the break.
        let heldAfterBreak: Int64
    }
}

extension LinkMeter {
    /// Has Berlin fetch a file from Madrid and meanwhile writes changes on Madrid, one at a time.
    func besideFile() async throws -> LinkMeasurement.Beside? {
        guard fileBytes > 0 else { return nil }
        let file = SampleFile(bytes: fileBytes)
        let records = try await scene.madrid.importRecords("document", [["title": "Report"]]).ids
        let meeting = try await scene.madrid.importRecords("meeting", [["title": "Beside a file"]]).ids[0]
        let id = try await file.attach(to: records[0], at: scene.madrid)
        try await scene.verify()
        _ = try await scene.berlin.client.fetchAttachment(id)
        // The window has found the link's rate when some round trips have passed.
        _ = try await held(id, moreThan: 64 << 10)
        let (before, start) = (try await held(id), ContinuousClock.now)
        let change = try await singleChanges(meeting, count: single * 3)
        let (after, seconds) = (try await held(id), start.milliseconds / 1000)
        let rate = Double(after - before) / seconds

        try await link.cut()
        try await eventually("both have noticed that the link broke") {
            try await self.scene.madrid.client.status().document.peers.allSatisfy { $0.state != .connected }
        }
        let atBreak = try await held(id)
        try await link.restore()
        let goneOn = try await held(id, moreThan: atBreak)
        return LinkMeasurement.Beside(
            fileBytes: file.bytes, change: change, fileBytesPerSecond: rate,
            share: rate * 8 / Double(shape.bitsPerSecond ?? .max), heldBeforeBreak: atBreak,
            heldAfterBreak: goneOn)
    }

    /// Bytes of a file that Berlin holds.
    private func held(_ attachment: String) async throws -> Int64 {
        try await scene.berlin.client.attachments(of: attachment).document.attachments.first?.heldBytes ?? 0
    }

    /// Waits until Berlin holds more of a file; returns how much.
    private func held(_ attachment: String, moreThan bytes: Int64) async throws -> Int64 {
        var found: Int64 = 0
        try await eventually("more than \(bytes) bytes of the file have come", seconds: 600) {
            found = try await self.held(attachment)
            return found > bytes
        }
        return found
    }
}
