// What is to be erased in the tests of erasure, and how it is looked for in the files.

import ConcordModel
import ConcordStore
import Foundation
import Testing

@testable import TestSupport

/// Values that are to leave no trace.
enum Secrets {
    /// Values that occur nowhere else; the index of the search keeps words in lower case and may share beginnings.
    static let values = ["Quixtrandle", "Vombaskerville", "q.quixtrandle@example.org", "+34 555 019 283"]
    static let traces = ["ixtrandle", "mbaskerville", "555 019 283"]

    /// A contact full of secrets, written in two changes, and overwritten in part.
    static func contact(at site: Site) async throws -> RecordID {
        let contact = try await site.write(
            .create(
                kind: "contact",
                fields: [
                    .set("name", text(values[0])), .set("email", text(values[2])),
                    .add("areas", text("Vombaskerville affairs")), .add("languages", text("es")),
                ])
        ).created[0]
        try await site.write(
            .update(contact, [.set("phone", text(values[3])), .set("notes", text("x"))]))
        try await site.write(
            .update(
                contact, [.set("name", text("Maria \(values[1])")), .remove("languages", text("es"))]))
        _ = try await site.store.search("quixtrandle")
        return contact
    }

    static func erase(_ record: RecordID, at site: Site) async throws -> WrittenChange {
        let written = try await site.write(.erase(record, reason: "asked for by the person"))
        try await sweep(site)
        return written
    }

    static func sweep(_ site: Site) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while try await !site.store.sweepErased() {
            try #require(ContinuousClock.now < deadline, "readers stay in the way")
            await Task.yield()
        }
    }

    /// Which of the traces are in the files of a replica.
    static func traces(in path: String) throws -> [String] {
        var found: Set<String> = []
        for suffix in ["", "-wal", "-shm"] {
            guard let data = FileManager.default.contents(atPath: path + suffix) else { continue }
            let lowered = Data(data.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 })
            for trace in traces where lowered.range(of: Data(trace.utf8)) != nil {
                found.insert(trace + suffix)
            }
        }
        return found.sorted()
    }
}
