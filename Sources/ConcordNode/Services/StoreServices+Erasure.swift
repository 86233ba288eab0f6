// Erasure for good: the values of this node's member go from here at once, and from every other node as the change that
// orders it arrives there. What is left of a record that only its owner writes is an empty shell, which is deleted.

import ConcordAPI
import ConcordModel
import ConcordStore

extension StoreServices {
    public func erase(_ id: String, reason: String, author: String) async throws -> ErasureDocument {
        let before = try store.record(idPrefix: id)
        let record = try Named(before)
        let written = try await write(
            [.erase(record.id, reason: UTF8Text(reason))], in: record.space, author: author)
        if Vocabulary.isOwned(UTF8Text(before.kind)), try store.record(record.id, space: record.space).shown {
            do {
                _ = try await write([.delete(record.id)], in: record.space, author: author)
            } catch let error as ConcordError where error.code == .notTheOwner {
                // What was refused in another's record was erased: the record itself is the other's.
            }
        }
        return ErasureDocument(
            record: try store.record(record.id, space: record.space), change: written.dot.description,
            isSwept: try await store.sweepErased())
    }
}
