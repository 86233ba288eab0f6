// The files of attachments as one node keeps them: which are wanted, fetching them through whatever sessions there are,
// serving them to peers, and clearing away what nothing names any more. What is held is a matter of the disk alone, and
// what is wanted follows from records, policy and requests; so nothing here needs to survive a restart.

import ConcordModel
import ConcordStore
import ConcordSync
import Logging

/// The keeper of a node's attachments.
actor AttachmentKeeper {
    nonisolated let store: ReplicaStore
    nonisolated let blobs: BlobStore
    nonisolated let policy: BlobPolicy
    nonisolated let logger: Logger
    let clock: @Sendable () -> Int64
    private let origin = ContinuousClock.now
    /// Raised when records of attachments may have changed.
    private let changed = Signal()
    /// Raised when files are wanted: only then is anything looked at again and again.
    private let wished = Signal()
    private let permitted = AttachmentPermissions()
    private let waitingWorks: AsyncStream<FetchPlan.Action>
    private let works: AsyncStream<FetchPlan.Action>.Continuation

    var plan = FetchPlan()
    private var sessions: [FetchPlan.Peer: @Sendable (BlobInput) -> Void] = [:]
    private var nextSession: FetchPlan.Peer = 1
    /// Manifests in the making.
    private var manifests: [BlobOrder.ID: [UInt8]] = [:]
    /// The files that records name, as of the last look.
    var references: [BlobID: [BlobReference]] = [:]
    /// Files that somebody asked for, or that were here before they were found damaged.
    var requested: Set<BlobID> = []
    /// How often a file was asked for in vain. Where records disagree about its size, each is tried in turn.
    private var attempts: [BlobID: Int] = [:]
    /// Whether something may have become of no use.
    var needsSweep = true
    var sweptAt = ContinuousClock.now
    /// Files that were attached and that no record names yet.
    var pinned: Set<BlobID> = []
    /// Why a file is not fetched at present.
    private(set) var obstacles: [BlobID: ConcordError] = [:]
    /// Bytes of all files, about.
    var usedBytes: Int64 = 0

    /// A keeper of the files in `blobs` for the records in `store`.
    ///
    /// - Parameter clock: milliseconds since 1970.
    init(
        store: ReplicaStore, blobs: BlobStore, policy: BlobPolicy, clock: @escaping @Sendable () -> Int64,
        logger: Logger
    ) {
        self.store = store
        self.blobs = blobs
        self.policy = policy
        self.clock = clock
        self.logger = logger
        (waitingWorks, works) = AsyncStream.makeStream()
        store.observeAttachments { [changed, permitted] in
            permitted.forget()
            changed.raise()
        }
    }

    // MARK: Life

    /// Fetches and clears away until the task is cancelled.
    func run() async {
        do {
            usedBytes = try await blobs.usage()
            // What has come in part was wanted, and still is if a record names it.
            requested.formUnion(try await blobs.partialBlobs())
        } catch {
            report("attachments cannot be read", error)
        }
        await scan()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [waitingWorks] in for await action in waitingWorks { await self.work(action) } }
            group.addTask { [changed] in
                for await _ in changed.raised {
                    await self.scan()
                    guard (try? await Task.sleep(for: BlobPolicyLimits.scanInterval)) != nil else { return }
                }
            }
            group.addTask { [wished] in
                for await _ in wished.raised {
                    while await !self.missing.isEmpty {
                        guard (try? await Task.sleep(for: BlobPolicyLimits.tickInterval)) != nil else {
                            return
                        }
                        await self.tick()
                    }
                }
            }
            group.addTask {
                while (try? await Task.sleep(for: BlobPolicyLimits.sweepInterval)) != nil {
                    if await self.isSweepDue { await self.sweep() }
                }
            }
        }
    }

    private var now: Milliseconds {
        let elapsed = (ContinuousClock.now - origin).components
        return elapsed.seconds * 1000 + elapsed.attoseconds / 1_000_000_000_000_000
    }

    // MARK: What is wanted

    /// Looks which files the records name, and wishes for those that are missing and wanted.
    func scan() async {
        do {
            let found = try store.blobReferences()
            let known = Set(references.values.joined())
            try await store.remember(found.filter { !known.contains($0) })
            let grouped = Dictionary(grouping: found, by: \.blob)
            needsSweep = needsSweep || grouped != references
            references = grouped
            carryOut(plan.wish(for: wishes(), now: now))
            if !missing.isEmpty { wished.raise() }
        } catch {
            report("attachments cannot be looked up", error)
        }
    }

    private func wishes() -> [FetchPlan.Wish] {
        references.compactMap { blob, references in
            let sizes = Set(references.filter(\.isShown).map(\.size)).sorted()
            guard !sizes.isEmpty, !blobs.holds(blob) else { return nil }
            let size = sizes[attempts[blob, default: 0] % sizes.count]
            let isRequested = requested.contains(blob)
            guard isRequested || policy.isEager(size: size) else { return nil }
            let spaces = Set(references.filter(\.isShown).map(\.space)).sorted()
            return FetchPlan.Wish(blob: blob, size: size, spaces: spaces, isUrgent: isRequested)
        }
    }

    /// Fetches a file because somebody asks for it.
    func request(_ blob: BlobID) async {
        requested.insert(blob)
        obstacles[blob] = nil
        await scan()
    }

    /// Wants a file no more than the policy does, and throws away what has come of it.
    func withdraw(_ blob: BlobID) async throws {
        requested.remove(blob)
        await scan()
        if !plan.wants(blob) { try await blobs.discardPartial(blob) }
    }

    /// Names a file that is being attached. It is kept until ``unpin(_:)``, when a record names it.
    func adopt(_ file: BlobImport) async throws -> ImportedBlob {
        let imported = try await file.finish()
        pinned.insert(imported.id)
        return imported
    }

    /// Leaves an attached file to the records that name it.
    func unpin(_ blob: BlobID) { pinned.remove(blob) }

    /// A file was attached or fetched: peers that asked for it in vain are told.
    func announce(_ blob: BlobID) {
        requested.remove(blob)
        obstacles[blob] = nil
        attempts[blob] = nil
        usedBytes += blobs.size(of: blob) ?? 0
        let spaces = Set((references[blob] ?? []).map(\.space))
        for submit in sessions.values { for space in spaces { submit(.held(space, blob)) } }
        carryOut(plan.finished(blob))
    }

    /// How a file stands.
    func state(of blob: BlobID) -> AttachmentState {
        if let size = blobs.size(of: blob) {
            return AttachmentState(
                isHeld: true, receivedBytes: size, isWanted: false, sources: 0, obstacle: nil)
        }
        return AttachmentState(
            isHeld: false, receivedBytes: blobs.partial(blob)?.receivedBytes ?? 0, isWanted: plan.wants(blob),
            sources: plan.sources(of: blob), obstacle: obstacles[blob])
    }

    /// The files that are wanted and not here.
    var missing: [FetchPlan.Wish] { plan.wishes }

    /// How many files that shown records name are not here.
    func missingCount() -> Int64 {
        Int64(
            references.count { blob, references in references.contains(where: \.isShown) && !blobs.holds(blob)
            })
    }

    // MARK: Sessions

    /// A session begins.
    func open(node: NodeID, submit: @escaping @Sendable (BlobInput) -> Void) -> FetchPlan.Peer {
        defer { nextSession += 1 }
        sessions[nextSession] = submit
        return nextSession
    }

    func connected(_ peer: FetchPlan.Peer, node: NodeID, spaces: [SpaceID]) {
        carryOut(plan.connected(peer, node: node, spaces: spaces))
    }

    func disconnected(_ peer: FetchPlan.Peer) {
        sessions[peer] = nil
        carryOut(plan.disconnected(peer))
    }

    func room(_ byteCount: Int, window: Int, after order: BlobOrder.ID, at peer: FetchPlan.Peer) {
        carryOut(plan.room(byteCount, window: window, after: order, at: peer, now: now))
    }

    func lacking(_ order: BlobOrder.ID) {
        manifests[order] = nil
        let part = plan.part(of: order)
        carryOut(plan.lacking(order, now: now))
        if let part, part.chunk == nil { tryOtherSize(part.blob) }
    }

    /// A manifest did not come, perhaps because it is of another size than the record that was believed says.
    private func tryOtherSize(_ blob: BlobID) {
        attempts[blob, default: 0] += 1
        guard Set((references[blob] ?? []).filter(\.isShown).map(\.size)).count > 1 else { return }
        carryOut(plan.wish(for: wishes(), now: now))
    }

    func holding(_ blob: BlobID, at peer: FetchPlan.Peer) {
        carryOut(plan.holding(blob, at: peer))
    }

    /// Reads for a peer what it may have: a record of the space must name the file.
    nonisolated func read(_ place: BlobPlace, byteCount: Int) async -> BlobBytes? {
        do {
            guard try isPermitted(place) else { return nil }
            return try await blobs.read(place.blob, place.part, at: place.offset, count: byteCount)
        } catch {
            report("an attachment cannot be read", error)
            return nil
        }
    }

    private nonisolated func isPermitted(_ place: BlobPlace) throws -> Bool {
        if permitted.holds(place) { return true }
        let moment = permitted.moment
        guard try store.isReferenced(place.blob, in: place.space) else { return false }
        permitted.add(place, asOf: moment)
        return true
    }

    // MARK: What comes

    /// Stores bytes that came from a peer.
    func store(
        _ bytes: BlobBytes, at place: BlobPlace, of order: BlobOrder.ID, from peer: FetchPlan.Peer
    ) async {
        guard let part = plan.part(of: order) else { return }
        if let obstacle = disk(toStore: Int64(bytes.bytes.count)) { return fail(place.blob, obstacle) }
        guard part.chunk != nil else { return await collect(bytes.bytes, of: order, part) }
        do {
            switch try await blobs.take(bytes.bytes, of: place.blob, at: place.offset, from: peer) {
            case .taken: plan.moved(order, now: now)
            case .completedChunk: carryOut(plan.completed(order, now: now))
            case .outOfPlace: carryOut(plan.refused(order, isToBlame: false, now: now))
            case .refused(let byOne):
                warn(ConcordError(.blobMismatch, "a chunk of attachment \(place.blob) does not verify"))
                carryOut(plan.refused(order, isToBlame: byOne, now: now))
            }
        } catch {
            fail(place.blob, error)
        }
    }

    private func collect(_ bytes: [UInt8], of order: BlobOrder.ID, _ part: FetchPlan.Part) async {
        manifests[order, default: []] += bytes
        plan.moved(order, now: now)
        guard let manifest = manifests[order], Int64(manifest.count) >= part.byteCount else { return }
        manifests[order] = nil
        guard BlobManifest.id(ofEncoded: manifest) == part.blob else {
            warn(ConcordError(.blobMismatch, "the manifest of attachment \(part.blob) does not verify"))
            return carryOut(plan.refused(order, isToBlame: true, now: now))
        }
        do {
            let manifest = try BlobManifest(encoded: manifest)
            guard manifest.size == plan.wish(for: part.blob)?.size else {
                tryOtherSize(part.blob)
                throw ConcordError(
                    .blobMismatch,
                    "an attachment has \(manifest.size) bytes, and not as many as its record says")
            }
            let partial = try await blobs.begin(manifest)
            let actions = plan.completed(order, now: now)
            carryOut(actions + plan.opened(part.blob, missing: partial.missingChunks().map(\.index)))
        } catch {
            fail(part.blob, error)
        }
    }

    private func fail(_ blob: BlobID, _ error: any Error) {
        let error = ConcordError(wrapping: error)
        if obstacles.updateValue(error, forKey: blob) != error {
            report("an attachment cannot be stored", error)
        }
        carryOut(plan.failed(blob, now: now))
    }

    // MARK: Carrying out

    private func carryOut(_ actions: [FetchPlan.Action]) {
        for action in actions {
            switch action {
            // One after the other, and apart from what peers bring meanwhile: see `work`.
            case .open, .close, .finish: works.yield(action)
            case .fetch(let peer, let order, let part): fetch(order, part, from: peer)
            case .cancel(let peer, let order):
                manifests[order] = nil
                sessions[peer]?(.cancel(order))
            }
        }
    }

    /// Does what the plan asks of the disk.
    private func work(_ action: FetchPlan.Action) async {
        switch action {
        case .open(let blob): await open(blob)
        case .close(let blob): await close(blob)
        case .finish(let blob): await finish(blob)
        case .fetch, .cancel: break
        }
    }

    private func open(_ blob: BlobID) async {
        guard let size = plan.wish(for: blob)?.size else { return }
        do {
            let partial = try await blobs.reopen(blob)
            if let obstacle = disk(toStore: size - (partial?.receivedBytes ?? 0)) { throw obstacle }
            obstacles[blob] = nil
            carryOut(plan.opened(blob, missing: partial?.missingChunks().map(\.index)))
        } catch {
            fail(blob, error)
        }
    }

    /// Why no file of this size can be stored at present: files stop before changes do.
    nonisolated func disk(toStore size: Int64) -> ConcordError? {
        if let trouble = store.storageTrouble { return trouble.error }
        guard let free = blobs.freeBytes, free < size + policy.reservedBytes else { return nil }
        return ConcordError(.diskFull, "an attachment of \(size) bytes needs more room than the disk has")
    }

    private func close(_ blob: BlobID) async {
        do {
            try await blobs.suspend(blob)
        } catch {
            report("an attachment cannot be stored", error)
        }
    }

    private func fetch(_ id: BlobOrder.ID, _ part: FetchPlan.Part, from peer: FetchPlan.Peer) {
        guard let submit = sessions[peer], plan.part(of: id) != nil else { return }
        guard let chunk = part.chunk else {
            let place = BlobPlace(space: part.space, blob: part.blob, part: .manifest, offset: 0)
            return submit(.fetch(BlobOrder(id: id, place: place, byteCount: part.byteCount)))
        }
        guard let partial = blobs.partial(part.blob) else {
            return carryOut(plan.failed(part.blob, now: now))
        }
        let range = partial.manifest.range(ofChunk: chunk)
        // What has come of the chunk already, perhaps from another peer, is not asked for again.
        let received = partial.received(ofChunk: chunk)
        guard received < range.count else { return carryOut(plan.completed(id, now: now)) }
        let place = BlobPlace(
            space: part.space, blob: part.blob, part: .content, offset: range.lowerBound + received)
        submit(.fetch(BlobOrder(id: id, place: place, byteCount: range.upperBound - place.offset)))
    }

    private func finish(_ blob: BlobID) async {
        do {
            try await blobs.finish(blob)
            logger.info("an attachment is here", metadata: ["blob": "\(blob)"])
            announce(blob)
        } catch {
            fail(blob, error)
        }
    }

    private func tick() {
        // What could not be stored, for example on a full disk, is tried again.
        carryOut(plan.tick(now: now))
    }

    nonisolated func report(_ message: String, _ error: any Error) {
        let error = ConcordError(wrapping: error)
        logger.error(
            "\(message)", metadata: ["code": "\(error.code.rawValue)", "reason": "\(error.message)"])
    }

    nonisolated func warn(_ error: ConcordError) {
        logger.warning(
            "an attachment does not verify",
            metadata: ["code": "\(error.code.rawValue)", "reason": "\(error.message)"])
    }
}
