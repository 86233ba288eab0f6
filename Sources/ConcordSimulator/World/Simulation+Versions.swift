// Versions side by side in a run: some nodes speak one protocol level more and know a vocabulary that the others do not know.
// Now and then they write what only they understand, and say what only they can read. Everybody keeps that and passes it on;
// the others must hold the same in the end, although two levels never compare what they see.

import ConcordAPI
import ConcordModel
import ConcordStore
import ConcordSync

extension Simulation {
    /// A node is started again with the next version, or now and then with the present one.
    mutating func changeVersion(_ node: Int) throws {
        guard nodes[node].store != nil, !nodes[node].isLater || choices.chance(30) else { return }
        nodes[node].isLater.toggle()
        figures.upgrades += 1
        log(node, nodes[node].isLater ? "goes to the next version" : "goes back to the present version")
        try die(node, .kill)
    }

    /// What somebody writes with the next version.
    private struct LaterWork: Sendable {
        /// A record that all versions know; nil to leave those alone.
        let record: RecordID?
        /// Whether a field of that record is set that only the next version knows; otherwise an operation of its own is
        /// done on it.
        let setsField: Bool
        /// Whether a record is made of a kind that only the next version knows.
        let makesRecord: Bool

        /// Operations 11 and 12 in their CBOR, which say nothing to this version.
        private static let ofItsOwn = ConcordModel.Operation.unknown(
            header: [0x82, 0x0b, 0x61, 0x78], value: [0x81, 0x65] + Array("later".utf8))
        private static let onRecord = ConcordModel.Operation.unknown(header: [0x81, 0x0c], value: [0x80])

        func entries(_ space: SpaceID, _ dot: Dot, _ timestamp: Int64) -> [Entry] {
            var entries: [Entry] = []
            if makesRecord {
                let treaty = RecordID(space: space, kind: "treaty", dot: dot, index: 0, timestamp: timestamp)
                entries.append(
                    Entry(
                        record: treaty,
                        operations: [
                            .create(kind: "treaty", parent: nil),
                            .set(field: "title", value: .text("Of a later kind"), replacing: []),
                        ]))
            }
            if let record {
                let value = UTF8Text("Of a later field \(dot.sequence)")
                let field = Operation.set(field: "later", value: .text(value), replacing: [])
                entries.append(Entry(record: record, operations: [setsField ? field : Self.onRecord]))
            }
            if entries.isEmpty { entries.append(Entry(record: nil, operations: [Self.ofItsOwn])) }
            return entries
        }
    }

    /// Somebody at a node of the next version writes what only that knows, and the node says to a peer what only that can
    /// read.
    mutating func writeLater(_ node: Int) async throws {
        guard isAwake(node), nodes[node].hasSpace, nodes[node].isLater, node != swarm.hostile,
            let store = nodes[node].store
        else { return }
        let (space, clock, signer) = (space, nodes[node].clock(now), nodes[node].identity.signer)
        let seen = try store.held(space).vector
        let (place, isOfRecord) = (choices.number(0...1_000), choices.chance(60))
        let (setsField, makesRecord) = (choices.chance(50), choices.chance(40))
        var record: RecordID?
        let answer = try await attempt(node) { store -> OwnHead? in
            if isOfRecord { record = try Self.shown(place, store, space) }
            let work = LaterWork(record: record, setsField: setsField, makesRecord: makesRecord)
            do {
                try await store.append(in: space, by: signer, author: "later", now: clock) {
                    work.entries(space, $0, $1)
                }
            } catch let error as ConcordError where Workload.expectedRefusals.contains(error.code) {
                return nil
            }
            return try store.ownHead(space)
        }
        guard let answer else {
            if let record { ledger.doubt(record) }
            return
        }
        guard let head = answer else { return log(node, "refuse what only the next version knows") }
        let written = SimulatedNode.Written(dot: Dot(head.replica, head.sequence), hash: head.hash)
        nodes[node].written.append(written)
        figures.changes += 1
        figures.laterChanges += 1
        if let record, setsField {
            ledger.note(.touch(.existing(record)), of: record, written.dot, seen: seen)
        }
        log(node, "write \(head.sequence), which only the next version knows")
        try feedAdvances(node)
        sayLater(node)
    }

    /// A record that several members may write, of those that are shown.
    private static func shown(_ place: Int, _ store: ReplicaStore, _ space: SpaceID) throws -> RecordID? {
        let shared = try store.records(RecordQuery(space: space)).filter {
            !Vocabulary.isOwned(UTF8Text($0.kind))
        }.sorted { $0.id < $1.id }
        return shared.isEmpty ? nil : RecordID(text: shared[place % shared.count].id)
    }

    /// A message of a later level to each peer, who reads past it.
    private mutating func sayLater(_ node: Int) {
        for id in connections.keys.sorted() {
            guard let side = connections[id]?.side(of: node), let end = connections[id]?.ends[side],
                end.progress != nil, !end.isOver
            else { continue }
            inject([0x82, 0x18, 0x40, 0x65] + Array("later".utf8), id, side)
        }
    }
}

extension SimulatedNode {
    /// What its program speaks with its peers.
    var release: (configuration: SessionConfiguration, vocabularyLevel: UInt64) {
        var configuration = SessionConfiguration()
        guard isLater else { return (configuration, Vocabulary.level) }
        configuration.levels = 0...configuration.levels.upperBound + 1
        configuration.features = (configuration.features + ["later"]).sorted()
        return (configuration, Vocabulary.level + 1)
    }
}
