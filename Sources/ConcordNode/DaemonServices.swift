// The parts of a running node that are neither peers nor the local API: listening, passing on what the store says, and
// the work of quiet moments.

import ConcordModel
import ConcordStore
import ConcordTransport
import Logging
import ServiceLifecycle

/// Hands accepted connections to the manager, and ends all sessions when the node stops.
struct ExchangeService: Service {
    let listeners: [Listener]
    let manager: PeerManager

    func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                for listener in listeners {
                    group.addTask {
                        for await connection in listener.connections { await manager.accept(connection) }
                    }
                }
                // A node that only dials out has no listener to wait for.
                group.addTask { try? await gracefulShutdown() }
            }
            for listener in listeners { await listener.close() }
            await manager.stop()
        } onGracefulShutdown: {
            for listener in listeners { Task { await listener.close() } }
        }
    }
}

/// Passes on that the log grew.
struct AdvanceService: Service {
    let advances: AsyncStream<Advance>
    let manager: PeerManager
    let ownBranches: OwnBranches
    let salvaged: SalvagedChanges
    /// Told of every advance.
    let signals: [Signal]

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await advance in advances {
                for signal in signals { signal.raise() }
                await ownBranches.adopt(in: advance.space)
                await salvaged.advanced()
                await manager.advanced(advance.space, position: advance.position)
            }
        }
    }
}

/// Fetches and clears away the files of attachments.
struct AttachmentService: Service {
    let attachments: AttachmentKeeper

    func run() async throws {
        await cancelWhenGracefulShutdown { await attachments.run() }
    }
}

/// Looks after the disk, makes backups, and takes in what was salvaged.
struct CareService: Service {
    let storage: StorageKeeper
    let backups: BackupKeeper
    let salvaged: SalvagedChanges

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await storage.run() }
                group.addTask { await backups.run() }
                group.addTask { await salvaged.run() }
            }
        }
    }
}

/// Keeps the search index up to date behind the writers, looks for new addresses now and then, and clears away what
/// erased values left where readers were in the way.
struct MaintenanceService: Service {
    let store: ReplicaStore
    let manager: PeerManager
    /// Raised when the log grew, for the search index.
    let grown: Signal
    /// The same, for receipts.
    let receiptsDue: Signal
    let logger: Logger

    /// Records indexed in one transaction: a writer never waits long behind it.
    private static let indexBatch = 500
    /// Time for a burst of writes to end before its records are indexed.
    private static let indexDelay: Duration = .seconds(1)
    /// How often the addresses in the members' records are looked at.
    private static let redialInterval: Duration = .seconds(60)
    /// How often it is tried again to clear away what was erased.
    private static let sweepInterval: Duration = .seconds(15)
    /// Time for a burst of changes to end before a receipt says what is held.
    private static let receiptDelay: Duration = .seconds(5)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await index() }
                group.addTask {
                    while (try? await Task.sleep(for: Self.redialInterval)) != nil { await manager.redial() }
                }
                group.addTask {
                    repeat { await sweep() } while (try? await Task.sleep(for: Self.sweepInterval)) != nil
                }
                group.addTask { await receipts() }
            }
        }
    }

    /// Signs receipts when something came since the last, and that one is old enough.
    private func receipts() async {
        receiptsDue.raise()
        for await _ in receiptsDue.raised {
            var delay: Duration? = Self.receiptDelay
            while let wait = delay {
                guard (try? await Task.sleep(for: wait)) != nil else { return }
                delay = await manager.issueReceipts().map { max(.milliseconds($0), Self.receiptDelay) }
            }
        }
    }

    private func sweep() async {
        guard store.storageTrouble == nil else { return }
        do {
            try await store.sweepErased()
        } catch {
            report("erasure", error)
        }
    }

    private func index() async {
        for await _ in grown.raised {
            guard (try? await Task.sleep(for: Self.indexDelay)) != nil else { return }
            do {
                while store.storageTrouble == nil, try await store.indexSearch(maximum: Self.indexBatch) > 0,
                    !Task.isCancelled
                {}
            } catch {
                report("search index", error)
            }
        }
    }

    private func report(_ work: String, _ error: any Error) {
        let error = ConcordError(wrapping: error)
        logger.error(
            "\(work)", metadata: ["code": "\(error.code.rawValue)", "reason": "\(error.message)"])
    }
}

/// Something happened: several times before anybody looks count as once.
struct Signal: Sendable {
    /// One element whenever the signal was raised since the last.
    let raised: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (raised, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func raise() { continuation.yield() }
}
