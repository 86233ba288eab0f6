// The daemon of a version that does not exist yet, for the tests of upgrades: it speaks one protocol level more, knows a
// feature and a vocabulary that nobody else knows, and on SIGUSR1 writes what such a version might write: an operation of
// its own, one on a record that everybody knows, and a record of a kind of its own.

import ConcordModel
import ConcordNode
import Dispatch
import Foundation
import Logging

@main
enum NextDaemon {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, arguments[1] == "--home" else {
            FileHandle.standardError.write(Data("concordd-next --home DIR\n".utf8))
            exit(2)
        }
        let home = NodeHome(path: arguments[2])
        let environment = ProcessInfo.processInfo.environment
        let configuration = try ConcordNode.Configuration.load(
            path: home.configuration, environment: environment)
        var release = Release()
        release.session.levels = 0...release.session.levels.upperBound + 1
        release.session.features = (release.session.features + ["later"]).sorted()
        release.vocabularyLevel += 1
        let daemon = try Daemon(
            home: home, configuration: configuration, logger: Logger(label: "concordd-next"), release: release
        )
        signal(SIGUSR1, SIG_IGN)
        let asked = DispatchSource.makeSignalSource(signal: SIGUSR1)
        asked.setEventHandler { @Sendable in
            Task {
                do {
                    try await daemon.append(laterEntries)
                } catch {
                    FileHandle.standardError.write(Data("nothing was written: \(error)\n".utf8))
                }
            }
        }
        asked.resume()
        try await daemon.run()
    }

    /// Operations 11 and 12 in their CBOR, which say nothing to this version.
    private static let ofItsOwn = ConcordModel.Operation.unknown(
        header: [0x82, 0x0b, 0x61, 0x78], value: [0x81, 0x65] + Array("later".utf8))
    private static let onRecord = ConcordModel.Operation.unknown(header: [0x81, 0x0c], value: [0x80])

    private static func laterEntries(_ space: SpaceID, _ dot: Dot, _ timestamp: Int64) -> [Entry] {
        func record(_ kind: UTF8Text, _ index: Int) -> RecordID {
            RecordID(space: space, kind: kind, dot: dot, index: index, timestamp: timestamp)
        }
        return [
            Entry(
                record: record("treaty", 0),
                operations: [
                    .create(kind: "treaty", parent: nil),
                    .set(field: "title", value: .text("Of a later kind"), replacing: []),
                ]),
            Entry(
                record: record("meeting", 1),
                operations: [
                    .create(kind: "meeting", parent: nil),
                    .set(field: "title", value: .text("Written by a later version"), replacing: []),
                    onRecord,
                ]),
            Entry(record: nil, operations: [ofItsOwn]),
        ]
    }
}
