// How the model's values stand in columns: identifiers and hashes as blobs, sequences as integers.

import ConcordCrypto
import ConcordModel
import Foundation
import GRDB

extension Row {
    /// The bytes of a blob; none for null.
    func bytes(_ index: Int) -> [UInt8] { optionalBytes(index) ?? [] }

    /// The bytes of a blob, nil for null.
    func optionalBytes(_ index: Int) -> [UInt8]? {
        let data: Data? = self[index]
        return data.map { [UInt8]($0) }
    }

    /// The state of a record, of which `json` holds the values that are displayed.
    func recordState(_ index: Int, json: Int, id: RecordID) throws -> RecordState {
        try RecordState(stored: bytes(index), json: bytes(json), id: id)
    }

    /// A sequence.
    func unsigned(_ index: Int) -> UInt64 { UInt64(clamping: self[index] as Int64) }

    /// A hash.
    func digest(_ index: Int) throws -> Digest {
        guard let digest = Digest(bytes: bytes(index)) else { throw damaged("a hash has the wrong length") }
        return digest
    }

    /// The id of a replica.
    func replica(_ index: Int) throws -> ReplicaID {
        guard let replica = ReplicaID(bytes: bytes(index)) else { throw damaged("a replica id is malformed") }
        return replica
    }

    /// The id of a record.
    func record(_ index: Int) throws -> RecordID {
        guard let record = RecordID(bytes: bytes(index)) else { throw damaged("a record id is malformed") }
        return record
    }
}

extension Digest {
    /// The 32 bytes, to bind to a statement.
    var data: Data { Data(bytes) }
}

extension ReplicaID {
    /// The 16 bytes, to bind to a statement.
    var data: Data { Data(bytes) }
}

extension RecordID {
    /// The 16 bytes, to bind to a statement.
    var data: Data { Data(bytes) }
}

extension UInt64 {
    /// The same number, to bind to a statement; sequences stay far below 2⁶³ (Limits).
    var stored: Int64 { Int64(clamping: self) }
}
