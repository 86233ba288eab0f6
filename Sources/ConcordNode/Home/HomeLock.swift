// One daemon per home. The lock belongs to an open file, so the system lets go of it however the process
// ends; the file itself stays and means nothing by itself.

import ConcordModel
import Glibc
import Synchronization

/// The right to run on a home, held until ``release()`` or the end of the process.
public final class HomeLock: Sendable {
    /// The locked home.
    public let home: NodeHome
    private let descriptor: Mutex<Int32?>

    fileprivate init(home: NodeHome, descriptor: Int32) {
        self.home = home
        self.descriptor = Mutex(descriptor)
    }

    deinit { release() }

    /// Lets another daemon run on the home.
    public func release() {
        descriptor.withLock { descriptor in
            if let open = descriptor { close(open) }
            descriptor = nil
        }
    }
}

extension NodeHome {
    /// Makes sure that no other daemon runs on this home while the result lives.
    ///
    /// - Throws: ``ConcordError`` E-6004 if one does, E-5005 if the home cannot be written.
    public func lock() throws -> HomeLock {
        try prepare()
        let descriptor = open(lockFile, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else {
            throw FileSystem.refusal(.unwritableHome, "\(lockFile) cannot be written")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isTaken = errno == EWOULDBLOCK
            let failure = FileSystem.refusal(.unwritableHome, "\(lockFile) cannot be locked")
            close(descriptor)
            throw isTaken ? ConcordError(.homeInUse, "another daemon runs on \(path)") : failure
        }
        return HomeLock(home: self, descriptor: descriptor)
    }
}
