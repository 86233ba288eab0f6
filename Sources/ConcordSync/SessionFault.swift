// Why a session ends from this side: thrown deep inside, turned into an `Error` to the peer and an end in one
// place.

import ConcordModel

/// A reason to end the session.
struct SessionFault: Error {
    let code: ErrorCode
    let faultClass: FaultClass
    let sentence: String

    /// A fault of the peer, unless another class is given.
    init(_ code: ErrorCode, _ sentence: String, _ faultClass: FaultClass = .fault) {
        self.code = code
        self.faultClass = faultClass
        self.sentence = sentence
    }

    /// A space was taken back and is to be exchanged again: messages of both times could not be told apart.
    static var returned: SessionFault {
        SessionFault(
            .unexpectedMessage, "a space that was taken back is exchanged again in a new session", .retry)
    }

    /// A replica signed two changes of one number: the names of its chains are others from now on.
    static var forked: SessionFault {
        SessionFault(
            .equivocation,
            "a replica signed two changes of one number; a new session compares anew what both hold", .retry)
    }

    /// The peer goes on from a change that it has not sent, under a number of which another one is held here.
    static var unshownBranch: SessionFault {
        SessionFault(
            .equivocation,
            "a replica is said to have signed another change than the one held here; a new session compares anew "
                + "what both hold", .retry)
    }

    /// What the peer is told.
    var message: Message {
        .error(
            code: UTF8Text(code.rawValue), faultClass: faultClass,
            sentence: UTF8Text(sentence.bounded(toBytes: SyncLimits.sentenceBytes)))
    }

    var end: SessionEnd {
        SessionEnd(code: code.rawValue, sentence: sentence, faultClass: faultClass, byPeer: false)
    }
}

extension String {
    /// The longest part from the beginning, cut between characters, that has at most `limit` bytes.
    func bounded(toBytes limit: Int) -> String {
        var result = self
        while result.utf8.count > limit { result.removeLast() }
        return result
    }
}
