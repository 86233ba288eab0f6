// What is counted on the wire, and how loads are made.

import ConcordModel
import Foundation
import ShapedLink

/// What was counted.
struct WireMeasurement: Encodable {
    /// One kind of load.
    struct Load: Encodable {
        let name: String
        let changes: Int
        /// What people wrote.
        let valueBytes: Int
        /// The changes as they stand in the log.
        let changeBytes: Int
        /// Signatures that stand there.
        let signatureBytes: Int
        /// Frames to the one that lacked the changes.
        let framesForth: Int
        /// Frames back from it.
        let framesBack: Int
        /// Payload of TCP in both directions: frames within TLS.
        let payloadBytes: Int
        /// With headers of TCP and IP.
        let wireBytes: Int

        var frames: Int { framesForth + framesBack }
    }

    let loads: [Load]

    /// For people.
    var table: BenchTable {
        var table = BenchTable(
            "Bytes on the wire, both directions together", "", "changes", "values", "changes in the log",
            "signatures", "frames", "of them back", "with TLS", "with TCP/IP", "frames a change", "of values")
        for load in loads {
            let each = load.changes > 0 ? Double(load.frames) / Double(load.changes) : 0
            table.add(
                load.name, Figure.count(load.changes), Figure.count(load.valueBytes),
                Figure.count(load.changeBytes), Figure.count(load.signatureBytes), Figure.count(load.frames),
                Figure.count(load.framesBack), Figure.count(load.payloadBytes), Figure.count(load.wireBytes),
                load.changes > 0 ? Figure.number(each, 0) : "",
                load.valueBytes > 0 ? Figure.ratio(Double(load.frames), Double(load.valueBytes)) : "")
        }
        return table
    }
}

/// Makes the loads and counts.
struct WireMeter {
    private let scene: SyncScene
    private let link: ShapedLink

    init(_ shape: LinkShape) async throws {
        scene = try await SyncScene(network: try BenchNetwork(), over: shape)
        guard let link = scene.link else { throw BenchError("there is no link") }
        self.link = link
    }

    func measure(
        records: Int, edits: Int, texts: Int, single: Int, idleSeconds: Int
    ) async throws -> WireMeasurement {
        var loads: [WireMeasurement.Load] = []
        let scene = scene
        let client = scene.madrid.client
        _ = try await scene.join()
        try await Task.sleep(for: .seconds(1))

        var contacts = SampleContacts()
        let rows = contacts.next(records)
        var ids: [RecordID] = []
        loads.append(
            try await load("contacts in bulk, while connected") {
                ids = try await scene.madrid.importRecords("contact", rows).ids
                return rows.reduce(0) { $0 + SampleContacts.valueBytes($1) }
            })
        let value: @Sendable (Int) -> String = { "Director of unit \($0 % 97), since \(2000 + $0 % 26)" }
        let chosen = (0..<edits).map { ids[$0 % ids.count] }
        let editedBytes = (0..<edits).reduce(0) { $0 + value($1).utf8.count }
        try await scene.separate()
        _ = try await client.set("position", of: chosen, to: value)
        loads.append(
            try await load("changes of one field, after an absence, with the handshake") {
                _ = try await scene.reunite()
                return editedBytes
            })
        loads.append(
            try await load("changes of one field, in a burst") {
                _ = try await client.set("notes", of: chosen, to: value)
                return editedBytes
            })
        loads.append(try await singleChanges(single))
        loads.append(try await textEdits(texts))
        loads.append(
            try await load("\(idleSeconds) idle seconds", settles: false) {
                try await Task.sleep(for: .seconds(idleSeconds))
                return 0
            })
        try await scene.verify()
        try await scene.madrid.stop()
        try await scene.berlin.stop()
        return WireMeasurement(loads: loads)
    }

    /// Each as soon as the one before is everywhere, and acknowledged.
    private func singleChanges(_ count: Int) async throws -> WireMeasurement.Load {
        let scene = scene
        let meeting = try await scene.madrid.importRecords("meeting", [["title": "Annual meeting"]]).ids[0]
        try await settle()
        let watch = try ReplicaWatch(scene.berlin)
        return try await load("changes one at a time") {
            for number in 0..<count {
                let value = "Room \(number), second floor"
                try await scene.madrid.client.set("venue", of: meeting, to: value)
                try watch.wait("change \(number) is visible") {
                    try watch.value(of: "venue", in: meeting) == value
                }
                try await scene.verify()
            }
            return (0..<count).reduce(0) { $0 + "Room \($1), second floor".utf8.count }
        }
    }

    /// A sentence at the end of a draft, and a word in its middle, in turns.
    private func textEdits(_ count: Int) async throws -> WireMeasurement.Load {
        let client = scene.madrid.client
        let document = try await scene.madrid.importRecords("document", [["title": "Draft communiqué"]]).ids[
            0]
        let id = document.description
        var text = ""
        try await settle()
        return try await load("edits of a text") {
            var written = 0
            for number in 0..<count {
                if number % 2 == 0 {
                    let sentence = "The members agree on point \(number) of the agenda.\n"
                    text += sentence
                    written += sentence.utf8.count
                } else {
                    let middle = text.index(text.startIndex, offsetBy: text.count / 2)
                    text.insert(contentsOf: "indeed ", at: middle)
                    written += "indeed ".utf8.count
                }
                _ = try await client.writeText(id, text, base: nil)
            }
            return written
        }
    }

    /// Counts a load until both hold the same and nothing more is said.
    private func load(
        _ name: String, settles: Bool = true, _ body: () async throws -> Int
    ) async throws -> WireMeasurement.Load {
        let watch = try ReplicaWatch(scene.madrid)
        let held = try watch.changes()
        let (before, frames) = (try await link.traffic(), try await scene.madrid.traffic())
        let common = scene.common
        let valueBytes = try await body()
        if settles { try await settle() }
        let (after, more) = (try await link.traffic(), try await scene.madrid.traffic())
        let (forth, back) = (after.forth.since(before.forth), after.back.since(before.back))
        // What was written before the load, while the two were apart, travels in it.
        let first = min(held, common)
        return WireMeasurement.Load(
            name: name, changes: try watch.changes() - first, valueBytes: valueBytes,
            changeBytes: try watch.changeBytes(after: first),
            signatureBytes: try watch.signatureBytes(after: first), framesForth: more.sent - frames.sent,
            framesBack: more.received - frames.received,
            payloadBytes: forth.payloadBytes + back.payloadBytes, wireBytes: forth.bytes + back.bytes)
    }

    /// Waits until both hold the same, and nothing has passed for half a second.
    private func settle() async throws {
        try await scene.verify()
        var last = try await link.traffic()
        try await eventually("nothing more is said", seconds: 120) {
            try await Task.sleep(for: .milliseconds(500))
            let now = try await self.link.traffic()
            defer { last = now }
            return now == last
        }
    }
}
