// `concord doctor`: everything that can be wrong with a node and can be found out cheaply. The daemon says what it
// sees; the files' modes are looked at here. Where the daemon does not run, the files say the rest.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordModel
import ConcordNode
import ConcordStore
import Foundation

/// Examines the node.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Examine network, TLS, clock, disk, certificates, file modes and refusals.",
        discussion: """
            Exit codes: 0 nothing is wrong, 3 the daemon does not run, 4 degraded, 5 needs a person, 6 integrity \
            failure. The pages of the database are checked; the log itself is verified by `concord verify`.
            """)
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let output = common.output
        let home = common.nodeHome
        var document: DoctorDocument
        var isRunning = true
        do {
            document = try await common.daemon.doctor().document
        } catch let error as ConcordError where error.code == .daemonUnreachable && home.hasIdentity {
            isRunning = false
            document = try await examine(home, error)
        }
        document.checks += HomeModes.check(home)
        output.result(document, DoctorView.lines(document, style: output.style))
        let code = DoctorView.exitCode(document)
        // 6 before 3 before 5 before 4, as for `status`.
        if !isRunning, code != 6 { throw ExitCode(3) }
        if code != 0 { throw ExitCode(code) }
    }

    /// What the files of a node say whose daemon does not run.
    private func examine(_ home: NodeHome, _ error: ConcordError) async throws -> DoctorDocument {
        let down = DoctorDocument.Check(
            check: "daemon", state: .person, message: error.message, code: error.code.rawValue,
            action: "concordd --home \(home.path)")
        let now = WallClock.milliseconds()
        guard FileManager.default.fileExists(atPath: home.database) else {
            return DoctorDocument(at: Timestamp.text(milliseconds: now), checks: [down], refused: [])
        }
        var document: DoctorDocument
        do {
            let status = try await StoppedNode(home: home, reason: error).status()
            let store = try ReplicaStore(path: home.database, options: .init(readOnly: true))
            defer { try? store.close() }
            try await store.checkPages(withIndexes: true)
            document = try Doctor(
                identity: try home.certificates(), store: store, now: now
            ).examine(status)
        } catch let failure as ConcordError {
            document = DoctorDocument(
                at: Timestamp.text(milliseconds: now),
                checks: [
                    .init(
                        check: "database", state: failure.code == .corruptDatabase ? .integrity : .person,
                        message: failure.message, code: failure.code.rawValue, action: failure.action)
                ], refused: [])
        }
        document.checks.insert(down, at: 0)
        return document
    }
}
