// Changes that were salvaged from a damaged database and lack something that it had lost. They wait in a file of the
// home; whenever the log grows they are tried again, and the file goes with the last of them.

import ConcordAPI
import ConcordModel
import ConcordStore
import Glibc
import Logging

/// The salvaged changes that are still to be taken in.
actor SalvagedChanges {
    private let path: String
    private let store: ReplicaStore
    private let logger: Logger
    private let grown = Signal()
    private var runs: [SalvagedRun] = []
    private var failure: ConcordError?
    /// For what is caught up with to gather.
    private static let delay = Duration.seconds(1)

    init(path: String, store: ReplicaStore, logger: Logger) {
        (self.path, self.store, self.logger) = (path, store, logger)
    }

    /// Puts changes aside that SQLite would pass over because its write-ahead log is damaged; before it opens the
    /// database. Those that were not durable come back with them, which does no harm.
    ///
    /// - Returns: whether there were any.
    static func rescueBeyondLog(_ home: NodeHome) throws -> Bool {
        guard FileSystem.exists(home.database) else { return false }
        let found = try DamagedReplica.changesBeyondLog(of: home.database)
        try SalvagedFile(path: home.salvaged).add(found)
        return !found.isEmpty
    }

    /// How many changes wait.
    var count: Int64 { runs.reduce(0) { $0 + Int64($1.changes.count) } }

    /// Takes in what can be taken in, until nothing waits or the task is cancelled.
    func run() async {
        do {
            runs = try SalvagedFile(path: path).runs()
        } catch {
            failure = ConcordError(wrapping: error)
            return report("salvaged changes cannot be read", error)
        }
        guard !runs.isEmpty else { return }
        grown.raise()
        for await _ in grown.raised {
            await takeIn()
            if runs.isEmpty { return }
            guard (try? await Task.sleep(for: Self.delay)) != nil else { return }
        }
    }

    /// The log of a space grew.
    func advanced() {
        if !runs.isEmpty { grown.raise() }
    }

    private func takeIn() async {
        guard store.storageTrouble == nil else { return }
        do {
            let outcome = try await store.takeIn(salvaged: runs)
            guard outcome.taken > 0 || outcome.refused > 0 || outcome.waiting.isEmpty else { return }
            runs = outcome.waiting
            logger.notice(
                "salvaged changes are taken in",
                metadata: [
                    "changes": "\(outcome.taken)", "own": "\(outcome.ownTaken)", "waiting": "\(count)",
                    "refused": "\(outcome.refused)",
                ])
            // The file says more than it must until then, which does no harm: what is held is passed over.
            if runs.isEmpty { unlink(path) }
        } catch {
            report("salvaged changes cannot be taken in", error)
        }
    }

    /// A line for the status while something waits.
    func attention() -> [StatusDocument.Attention] {
        let code = ErrorCode.salvagePending
        if let failure {
            return [
                .init(
                    code: code.rawValue, severity: .person, member: nil,
                    message: failure.message, action: failure.action)
            ]
        }
        guard !runs.isEmpty else { return [] }
        let waiting = count == 1 ? "1 salvaged change waits" : "\(count) salvaged changes wait"
        return [
            .init(
                code: code.rawValue, severity: .degraded, member: nil,
                message: "\(waiting) for what the damaged database had lost", action: code.entry.action)
        ]
    }

    private func report(_ message: String, _ error: any Error) {
        let error = ConcordError(wrapping: error)
        logger.error(
            "\(message)", metadata: ["code": "\(error.code.rawValue)", "reason": "\(error.message)"])
    }
}
