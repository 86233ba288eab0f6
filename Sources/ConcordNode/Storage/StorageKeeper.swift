// Looks after the replica's disk while the daemon runs: says once when writing stops and when it goes on, tries in
// between whether it may, and has a database that was not closed in good order checked. Nothing runs while all is well.

import ConcordAPI
import ConcordModel
import ConcordStore
import Glibc
import Logging

/// The care for the disk under a running node.
struct StorageKeeper: Sendable {
    let home: NodeHome
    let store: ReplicaStore
    let clock: @Sendable () -> Int64
    let logger: Logger
    private let stopped = Signal()
    private let damaged = Signal()

    init(home: NodeHome, store: ReplicaStore, clock: @escaping @Sendable () -> Int64, logger: Logger) {
        (self.home, self.store, self.clock, self.logger) = (home, store, clock, logger)
        store.observeStorage { [stopped, damaged] transition in
            Self.report(transition, home: home, logger: logger)
            guard case .refusing(let trouble) = transition else { return }
            trouble.mayPass ? stopped.raise() : damaged.raise()
        }
    }

    /// Finds out whether a replica that was found damaged earlier still is; before anything is served.
    func examineMark() async {
        guard FileSystem.exists(home.damageMark) else { return }
        do {
            try await store.checkPages(withIndexes: true)
            unlink(home.damageMark)
            logger.notice("the replica had been found damaged and reads well now")
        } catch {
            let error = ConcordError(wrapping: error)
            store.markDamaged(
                error.code == .corruptDatabase ? error : ConcordError(.corruptDatabase, error.message))
        }
    }

    /// Tries again and again while writing is refused, until the task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.checkAfterCrash() }
            group.addTask {
                for await _ in self.damaged.raised { await self.recheck() }
            }
            group.addTask {
                for await _ in self.stopped.raised {
                    while self.store.storageTrouble?.mayPass == true {
                        let delay = Duration.milliseconds(self.store.nextTrialDelay())
                        guard (try? await Task.sleep(for: delay)) != nil else { return }
                        await self.store.tryWriting()
                    }
                }
            }
        }
    }

    /// A page that the disk could not read for a moment looks like a damaged one.
    private func recheck() async {
        for _ in 0..<StorageLimits.rechecks where store.storageTrouble?.kind == .damaged {
            let delay = Duration.milliseconds(store.nextTrialDelay())
            guard (try? await Task.sleep(for: delay)) != nil else { return }
            if (try? await store.recheckPages()) != nil { return }
        }
    }

    private func checkAfterCrash() async {
        guard store.wasLeftOpen, store.storageTrouble == nil else { return }
        do {
            try await store.checkPages()
            logger.info("the database was not closed in good order, and its pages are sound")
        } catch {
            // Damage has been reported by now; anything else says nothing about the pages.
            let error = ConcordError(wrapping: error)
            logger.debug("pages were not checked", metadata: ["reason": "\(error.message)"])
        }
    }

    private static func report(_ transition: StorageHealth.Transition, home: NodeHome, logger: Logger) {
        switch transition {
        case .refusing(let trouble):
            let error = trouble.error
            logger.error(
                "nothing is written any more",
                metadata: [
                    "code": "\(error.code.rawValue)", "reason": "\(error.message)",
                    "trouble": "\(trouble.kind.rawValue)",
                ])
            guard trouble.kind == .damaged else { return }
            // Where not even this can be written, the next start finds the damage by itself.
            try? FileSystem.createAtomically(
                home.damageMark, bytes: Array("\(error.message)\n".utf8), mode: 0o640)
        case .recovered(let trouble):
            if trouble.kind == .damaged { unlink(home.damageMark) }
            logger.notice(
                "writing goes on",
                metadata: ["code": "\(trouble.error.code.rawValue)", "trouble": "\(trouble.kind.rawValue)"])
        }
    }

    /// A line for the status while nothing is written, or while little is left.
    static func attention(_ store: ReplicaStore, freeBytes: Int64?, reserve: Int64) -> [StatusDocument
        .Attention]
    {
        if let trouble = store.storageTrouble {
            let error = trouble.error
            let isDamage = trouble.kind == .damaged
            let since = Timestamp.text(milliseconds: trouble.since)
            return [
                .init(
                    code: error.code.rawValue, severity: isDamage ? .integrity : .person, member: nil,
                    message: "nothing is written since \(since): \(error.message)", action: error.action)
            ]
        }
        guard reserve > 0, let freeBytes, freeBytes < reserve * 4 else { return [] }
        let code = ErrorCode.reserveReached
        return [
            .init(
                code: code.rawValue, severity: .degraded, member: nil,
                message:
                    "\(freeBytes >> 20) MiB are free on the disk; below \(reserve >> 19) MiB no attachment is "
                    + "stored, below \(reserve >> 20) MiB nothing is written",
                action: "make room")
        ]
    }
}
