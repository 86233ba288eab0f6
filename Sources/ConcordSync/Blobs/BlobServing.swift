// The files that this side gives to its peer. Questions are answered one after the other and only while no change waits
// to be sent; a little is read ahead, so that disk and link work at the same time. How much is on its way is for the
// peer to decide, who sees how long it takes.

import ConcordModel

/// The questions of one peer.
struct BlobServing: Sendable {
    private struct Question: Sendable {
        let place: BlobPlace
        let byteCount: Int
    }

    /// Answers that are read or being read before the ones before them are sent.
    private static let ahead = 2

    private var questions = Queue<Question>()
    private var reading = 0
    private var answers = Queue<[UInt8]>()
    /// What the peer asked for in vain.
    private var missed: Set<BlobID> = []
    private var news: [(space: SpaceID, blob: BlobID)] = []

    /// Takes a question.
    mutating func receive(_ place: BlobPlace, byteCount: Int) throws(SessionFault) {
        guard questions.count + reading < SyncLimits.piecesAsked else {
            throw SessionFault(.limitExceeded, "more pieces of files are wanted than may be at once")
        }
        questions.append(Question(place: place, byteCount: byteCount))
    }

    /// Takes what was read.
    mutating func read(_ place: BlobPlace, _ bytes: BlobBytes?, isShared: Bool) {
        reading -= 1
        // A question about a space that is no longer shared is not answered.
        guard isShared else { return }
        guard let bytes, !bytes.bytes.isEmpty else {
            // Of what a peer asks for at random no more is remembered than it can hold.
            if missed.count >= SyncLimits.piecesAsked { missed = [] }
            missed.insert(place.blob)
            answers.append(Message.blob(.lacking(place)).encoded())
            return
        }
        answers.append(Message.blob(.piece(place, bytes)).encoded())
    }

    /// The file is here now.
    mutating func held(_ blob: BlobID, in space: SpaceID) {
        guard missed.remove(blob) != nil else { return }
        news.append((space, blob))
    }

    /// Forgets what concerns spaces that are no longer shared.
    mutating func keep(_ spaces: [SpaceID]) {
        let kept = questions.elements.filter { spaces.contains($0.place.space) }
        news.removeAll { !spaces.contains($0.space) }
        guard kept.count < questions.count else { return }
        questions.removeFirst(questions.count)
        for question in kept { questions.append(question) }
    }

    /// Sends what was read, and reads on; called only while the connection takes something and no change waits.
    mutating func send(_ effects: inout [SessionEffect]) {
        for item in news { effects.append(.send(Message.blob(.holding(item.space, item.blob)).encoded())) }
        news = []
        while let answer = answers.first {
            answers.removeFirst()
            effects.append(.send(answer))
        }
        while reading < Self.ahead, let question = questions.first {
            questions.removeFirst()
            reading += 1
            effects.append(.blob(.read(question.place, byteCount: question.byteCount)))
        }
    }
}
