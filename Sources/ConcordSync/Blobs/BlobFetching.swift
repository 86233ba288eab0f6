// The files that this side gets from its peer. Orders are asked for piece by piece, in their order, as far as the window
// allows; the peer answers in the same order, so an answer is known by its place. What was asked for and is not wanted
// any more is awaited and dropped.

import ConcordModel

/// The orders of one session.
struct BlobFetching: Sendable {
    private struct Order: Sendable {
        let order: BlobOrder
        /// Bytes that were asked for.
        var asked: Int64 = 0
        /// Bytes that were stored.
        var stored: Int64 = 0

        var unasked: Int64 { order.byteCount - asked }
    }

    private struct Question: Sendable {
        let place: BlobPlace
        let byteCount: Int
        let order: BlobOrder.ID
        let askedAt: Milliseconds
        /// Bytes on their way when it was asked, itself included.
        let outstanding: Int
    }

    private var orders: [BlobOrder.ID: Order] = [:]
    /// Orders of which something is still to be asked for, in their order.
    private var waiting = Queue<BlobOrder.ID>()
    private var questions = Queue<Question>()
    /// Bytes that are asked for or being stored.
    private var outstanding = 0
    private var window = PieceWindow()
    private var hasAsked = false
    private var lastOrder: BlobOrder.ID = 0
    /// What the peer said to lack.
    private var lacked: Set<BlobID> = []

    /// Takes an order.
    mutating func fetch(_ order: BlobOrder) {
        precondition(order.byteCount > 0 && orders[order.id] == nil)
        orders[order.id] = Order(order: order)
        waiting.append(order.id)
        lastOrder = order.id
        hasAsked = false
    }

    /// Refuses an order of a space that was taken back meanwhile.
    mutating func refuse(_ order: BlobOrder, _ effects: inout [SessionEffect]) {
        lastOrder = order.id
        hasAsked = false
        effects.append(.blob(.lacking(order.id)))
    }

    /// Forgets an order.
    mutating func cancel(_ id: BlobOrder.ID) { orders[id] = nil }

    /// Forgets what concerns spaces that are no longer shared: what was asked of them is not answered.
    mutating func keep(_ spaces: [SpaceID]) {
        let answered = questions.elements.filter { question in
            guard !spaces.contains(question.place.space) else { return true }
            outstanding -= question.byteCount
            return false
        }
        guard answered.count < questions.count else { return }
        questions.removeFirst(questions.count)
        for question in answered { questions.append(question) }
        for (id, order) in orders where !spaces.contains(order.order.place.space) { orders[id] = nil }
    }

    /// Asks for what the window allows, and for orders if it allows more than is ordered.
    mutating func send(now: Milliseconds, _ effects: inout [SessionEffect]) {
        while let id = waiting.first {
            guard let order = orders[id], order.unasked > 0 else {
                waiting.removeFirst()
                continue
            }
            let byteCount = Int(min(Int64(window.pieceBytes), order.unasked))
            guard outstanding == 0 || outstanding + byteCount <= window.bytes else { break }
            ask(id, byteCount, now, &effects)
        }
        let unasked = waiting.elements.reduce(0) { $0 + (orders[$1]?.unasked ?? 0) }
        guard !hasAsked, unasked < window.bytes else { return }
        hasAsked = true
        effects.append(
            .blob(.room(byteCount: window.bytes - Int(unasked), window: window.bytes, after: lastOrder)))
    }

    private mutating func ask(
        _ id: BlobOrder.ID, _ byteCount: Int, _ now: Milliseconds, _ effects: inout [SessionEffect]
    ) {
        guard let order = orders[id] else { return }
        let start = order.order.place
        let place = BlobPlace(
            space: start.space, blob: start.blob, part: start.part, offset: start.offset + order.asked)
        outstanding += byteCount
        orders[id]?.asked += Int64(byteCount)
        questions.append(
            Question(
                place: place, byteCount: byteCount, order: id, askedAt: now, outstanding: outstanding))
        effects.append(.send(Message.blob(.fetch(place, byteCount: byteCount)).encoded()))
    }

    /// Takes bytes that the peer sends.
    mutating func receive(
        _ place: BlobPlace, _ bytes: BlobBytes, now: Milliseconds, _ effects: inout [SessionEffect]
    ) throws(SessionFault) {
        let question = try answered(place)
        let count = bytes.bytes.count
        guard count == min(Int64(question.byteCount), bytes.total - place.offset) else {
            throw SessionFault(.unexpectedMessage, "a piece of a file has another length than was asked for")
        }
        window.arrived(
            byteCount: count, requestedAt: question.askedAt, outstanding: question.outstanding, now: now)
        // What a short piece leaves free is free at once.
        outstanding -= question.byteCount - count
        guard let order = orders[question.order] else {
            outstanding -= count
            return
        }
        // What is shorter or longer than the record says is not what the record names.
        let isWhole = place.part == .content || bytes.total == order.order.byteCount
        guard isWhole, count == question.byteCount else {
            outstanding -= count
            orders[question.order] = nil
            return effects.append(.blob(.lacking(question.order)))
        }
        effects.append(.blob(.store(question.order, place, bytes)))
    }

    /// Takes the word that the peer does not have what was asked for.
    mutating func lacking(_ place: BlobPlace, _ effects: inout [SessionEffect]) throws(SessionFault) {
        let question = try answered(place)
        outstanding -= question.byteCount
        if lacked.count >= SyncLimits.piecesAsked { lacked = [] }
        lacked.insert(place.blob)
        guard orders.removeValue(forKey: question.order) != nil else { return }
        effects.append(.blob(.lacking(question.order)))
    }

    /// Takes the word that the peer holds a file now; of files that it did not lack it has nothing to say.
    mutating func holding(_ blob: BlobID, in space: SpaceID, _ effects: inout [SessionEffect]) {
        guard lacked.remove(blob) != nil else { return }
        effects.append(.blob(.holding(space, blob)))
    }

    /// Bytes were stored.
    mutating func stored(_ id: BlobOrder.ID, byteCount: Int) {
        outstanding -= byteCount
        orders[id]?.stored += Int64(byteCount)
        if let order = orders[id], order.stored == order.order.byteCount { orders[id] = nil }
    }

    private mutating func answered(_ place: BlobPlace) throws(SessionFault) -> Question {
        guard let question = questions.first, question.place == place else {
            throw SessionFault(.unexpectedMessage, "a piece of a file came unasked")
        }
        questions.removeFirst()
        return question
    }
}
