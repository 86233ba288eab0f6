// SQLite's result codes as people meet them: what the disk or the file's owner can cause has its own code and
// next step, the rest is a store failure with SQLite's own words.

import ConcordCrypto
import ConcordModel
import GRDB

extension ConcordError {
    /// What an error thrown inside the store means.
    init(store error: any Error) {
        switch error {
        case let error as ConcordError: self = error
        case let error as DatabaseError: self.init(database: error)
        case let error as CryptoError: self.init(.cryptography, "\(error)")
        default: self.init(.storeFailure, "the database failed: \(error)")
        }
    }

    private init(database error: DatabaseError) {
        let words = error.message ?? "result code \(error.extendedResultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_FULL:
            self.init(.diskFull, "the disk is full: \(words)")
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            self.init(.unwritableHome, "the database cannot be opened or written: \(words)")
        case .SQLITE_IOERR:
            self.init(.diskFailure, "the disk reports an error: \(words)")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self.init(.corruptDatabase, "the database is damaged: \(words)")
        default:
            self.init(.storeFailure, "the database refused an operation: \(words)")
        }
    }
}

/// Runs `body` and throws whatever it throws as a ``ConcordError``.
func mappingErrors<Result>(_ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch {
        throw ConcordError(store: error)
    }
}

/// A stored row that no version of this program writes: the file is damaged, whatever SQLite says.
func damaged(_ what: String) -> ConcordError {
    ConcordError(.corruptDatabase, "the database is damaged: \(what)")
}
