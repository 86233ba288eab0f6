// From whom this node takes the changes of one space, so that each comes about once however many peers have it.
//
// What a peer writes itself comes from it unasked. A few peers announce what else they get; what is announced and does
// not come is asked for, from one peer at a time. A node that lacks much when it connects lets one peer send all of it
// while the others wait. Only the receiver decides, and it asks until it has everything that anybody holds, so nothing
// depends on what a peer promises: whoever does not deliver is asked last.

import ConcordModel

/// The intake of one space.
public struct Intake: Sendable {
    /// A session, as it bears on this.
    struct Link: Sendable {
        var report: IntakeReport
        var order: IntakeOrder?
        /// Whether little that the peer holds was lacking at some time: from then on the two are in live exchange.
        var isCaughtUp = false
        /// When the session last got any further.
        var movedAt: Milliseconds
        /// Since when changes wait that came from this peer.
        var incompleteSince: Milliseconds?
        /// Since when it is to send all while others wait.
        var turnSince = Milliseconds.min
        /// How often it did not deliver what it was asked for, or did not finish when it was to send all.
        var failures = 0
    }

    /// What is asked of somebody.
    struct Question: Sendable {
        let link: Int
        let upTo: UInt64
        let askedAt: Milliseconds
        /// Until when it should be there.
        var deadline: Milliseconds
    }

    /// A chain of which something is lacking.
    struct Lack: Sendable {
        /// Since when nothing of it came.
        var since: Milliseconds
        /// What was held then.
        var held: UInt64
        var question: Question?
        var attempts = 0
        /// Whether it was taken to be on its way already since something of it came last.
        var wasAwaited = false
    }

    /// How many peers announce what they get from others. Each picks its own few at random, so the announcements reach
    /// everybody, with overwhelming probability, whatever fails.
    public static let announcers = 6
    /// How long changes may take from their author, who sends them unasked, before another peer is asked.
    static let patienceWithAuthor: Milliseconds = 300
    /// How long a peer has for what it is asked for, besides some round trips.
    static let patience: Milliseconds = 2_000
    static let longestPatience: Milliseconds = 60_000
    /// After so long without a change a peer that was to send all gives way to another.
    static let stallLimit: Milliseconds = 10_000
    /// After so long it gives way whatever it brings, so that none can keep the others waiting for good.
    static let longestTurn: Milliseconds = 60_000
    private static let roundTripAssumed: Milliseconds = 200

    private(set) var links: [Int: Link] = [:]
    /// The one that sends all while others wait.
    private var source: Int?
    private var lacks: [ReplicaID: Lack] = [:]
    private var lastOrder: UInt64 = 0

    /// What came lately, and until when other sessions surely know.
    private var came: [ReplicaID: (upTo: UInt64, until: Milliseconds)] = [:]

    init() {}

    /// Whether there is no session.
    var isEmpty: Bool { links.isEmpty }

    /// When a tick is wanted; nil if none is.
    var deadline: Milliseconds? {
        var times: [Milliseconds] = []
        if let source, let link = links[source], hasOtherSource { times.append(link.turnEnds) }
        for (chain, lack) in lacks {
            times.append(lack.question?.deadline ?? readyAt(chain, lack))
        }
        // Of one that has not caught up nothing follows from that: see `mode(of:_:announcers:_:)`.
        for link in links.values where link.isCaughtUp && !link.isSendingAll {
            if let since = link.incompleteSince { times.append(since + Self.patienceWithAuthor) }
        }
        return times.min()
    }

    /// A session says where it stands.
    ///
    /// - Returns: what sessions are to do from now on, this one in any case.
    mutating func report(_ report: IntakeReport, of id: Int, now: Milliseconds) -> [Int: IntakeOrder] {
        var link = links[id] ?? Link(report: report, movedAt: now)
        if link.report.stage != report.stage || link.report.frames != report.frames { link.movedAt = now }
        for element in link.report.receiving.elements
        where report.receiving[element.replica] < element.sequence {
            came[element.replica] = (element.sequence, now + Self.patience)
        }
        link.report = report
        let isLittle = id == source ? report.lacking.isEmpty : report.isSmall
        if report.stage == .streaming, report.receiving.isEmpty, isLittle { link.isCaughtUp = true }
        link.incompleteSince = report.isIncomplete ? link.incompleteSince ?? now : nil
        links[id] = link
        return decide(now, answering: id)
    }

    /// A session is over.
    mutating func close(_ id: Int, now: Milliseconds) -> [Int: IntakeOrder] {
        guard links.removeValue(forKey: id) != nil else { return [:] }
        if source == id { source = nil }
        for (chain, lack) in lacks where lack.question?.link == id { lacks[chain]?.question = nil }
        return decide(now)
    }

    /// Time passed.
    ///
    /// - Parameter moving: the sessions in which nothing but parts of a long frame have come since the last time.
    mutating func tick(now: Milliseconds, moving: Set<Int> = []) -> [Int: IntakeOrder] {
        for id in moving { links[id]?.movedAt = now }
        return decide(now)
    }

    // MARK: Who sends unasked

    private mutating func decide(_ now: Milliseconds, answering id: Int? = nil) -> [Int: IntakeOrder] {
        chooseSource(now)
        let announcers = chosenAnnouncers()
        var wanted = ask(now)
        var orders: [Int: IntakeOrder] = [:]
        for (other, link) in links {
            lastOrder += 1
            var order = IntakeOrder()
            order.number = lastOrder
            order.mode = mode(of: other, link, announcers: announcers, now)
            order.peers = links.count
            let isSame = link.order?.mode == order.mode && link.order?.peers == order.peers
            links[other]?.order = order
            order.wanted = wanted.removeValue(forKey: other) ?? VersionVector()
            if other == id || !isSame || !order.wanted.isEmpty { orders[other] = order }
        }
        return orders
    }

    private func mode(of id: Int, _ link: Link, announcers: Set<Int>, _ now: Milliseconds) -> FlowMode {
        if links.count == 1 || id == source { return .all }
        guard link.isCaughtUp else { return .hold }
        if let since = link.incompleteSince, link.isSendingAll || since + Self.patienceWithAuthor <= now {
            // It sent what builds on changes that nobody else has shown yet.
            return .all
        }
        return announcers.contains(id) ? .announce : .own
    }

    /// Of the sessions that have not caught up one at a time sends all; one that stands still, or takes long, gives way.
    private mutating func chooseSource(_ now: Milliseconds) {
        if let present = source, let link = links[present] {
            if link.isCaughtUp {
                source = nil
            } else if link.turnEnds <= now, hasOtherSource {
                links[present]?.failures += 1
                source = nil
            }
        }
        guard source == nil else { return }
        // A node that is up to date already need not have anybody send before it is clear what.
        let isLive = links.contains { $0.value.isCaughtUp }
        source =
            links.filter { !$0.value.isCaughtUp && (!isLive || $0.value.report.stage == .streaming) }
            .min { rank($0) < rank($1) }?.key
        guard let source, var link = links[source] else { return }
        (link.movedAt, link.turnSince) = (now, now)
        links[source] = link
    }

    private var hasOtherSource: Bool {
        links.contains { $0.key != source && !$0.value.isCaughtUp && $0.value.report.stage == .streaming }
    }

    private func rank(_ entry: (key: Int, value: Link)) -> (Int, Milliseconds, Int) {
        (entry.value.failures, entry.value.report.roundTrip ?? Self.roundTripAssumed, entry.key)
    }

    /// The peers that announce: those that did before, others drawn by a hash of their numbers.
    private func chosenAnnouncers() -> Set<Int> {
        let live = links.filter(\.value.isCaughtUp)
        func order(_ entry: (key: Int, value: Link)) -> (Int, UInt64, Int) {
            let isChosen = entry.value.order?.mode == .announce
            return (
                isChosen ? 0 : 1, UInt64(truncatingIfNeeded: entry.key) &* 0x9e37_79b9_7f4a_7c15, entry.key
            )
        }
        return Set(live.sorted { order($0) < order($1) }.prefix(Self.announcers).map(\.key))
    }

    // MARK: Asking

    /// Asks for what is lacking and neither on its way nor about to come from its author.
    private mutating func ask(_ now: Milliseconds) -> [Int: VersionVector] {
        came = came.filter { $0.value.until > now }
        var holders: [ReplicaID: [Int]] = [:]
        for (id, link) in links where link.isCaughtUp && link.report.stage == .streaming {
            for element in link.report.lacking.elements { holders[element.replica, default: []].append(id) }
        }
        for chain in lacks.keys where holders[chain] == nil { lacks[chain] = nil }
        var wanted: [Int: VersionVector] = [:]
        for (chain, ids) in holders.sorted(by: { $0.key < $1.key }) {
            let held = ids.reduce(0) { max($0, links[$1]!.report.holding[chain]) }
            var lack = lacks[chain] ?? Lack(since: now, held: held)
            if held > lack.held {
                (lack.since, lack.held, lack.attempts, lack.wasAwaited) = (now, held, 0, false)
            }
            review(&lack, chain, now)
            if lack.question == nil, lack.attempts == 0, !lack.wasAwaited {
                // Once: what has not come by itself then must be asked for.
                lack.question = comingFromSource(chain, lack, now) ?? comingAnyway(chain, lack, now)
                lack.wasAwaited = lack.question != nil
            }
            if lack.question == nil, readyAt(chain, lack) <= now {
                let id = best(of: ids, chain, wanted)
                lack.attempts += 1
                lack.question = question(id, chain, lack.attempts, now)
                // One that sends all need not be asked.
                if links[id]?.isSendingAll == false {
                    wanted[id, default: VersionVector()].raise(chain, to: links[id]!.report.lacking[chain])
                }
            }
            lacks[chain] = lack
        }
        return wanted
    }

    /// Gives up a question that is answered, or not answered in time.
    private mutating func review(_ lack: inout Lack, _ chain: ReplicaID, _ now: Milliseconds) {
        guard var question = lack.question, let link = links[question.link] else {
            lack.question = nil
            return
        }
        if lack.held >= question.upTo {
            links[question.link]?.failures = max(0, link.failures - 1)
            lack.question = nil
        } else if link.report.stage == .streaming, link.report.lacking[chain] == 0,
            comingAnyway(chain, lack, now) == nil
        {
            // It turned out to have nothing of it.
            lack.question = nil
        } else if question.deadline <= now {
            // What a thin link brings takes its time: as long as it brings something it may be on its way, but not for ever.
            let isMoving = link.movedAt > question.askedAt && link.movedAt + Self.patience > now
            if isMoving, max(question.askedAt, lack.since) + Self.longestPatience > now {
                question.deadline = link.movedAt + Self.patience
                lack.question = question
            } else {
                links[question.link]?.failures += 1
                lack.question = nil
            }
        }
    }

    /// What somebody sends already counts as asked for, and so does what came and has not got round.
    private func comingAnyway(_ chain: ReplicaID, _ lack: Lack, _ now: Milliseconds) -> Question? {
        let sender = links.min { one, other in
            (one.value.report.receiving[chain], other.key) > (other.value.report.receiving[chain], one.key)
        }
        guard let sender else { return nil }
        let upTo = max(sender.value.report.receiving[chain], came[chain]?.upTo ?? 0)
        guard upTo > lack.held else { return nil }
        return Question(link: sender.key, upTo: upTo, askedAt: now, deadline: now + Self.patience)
    }

    /// So does what the one that sends all has, as long as it gets on; before it is clear what that is, it may be anything.
    private func comingFromSource(_ chain: ReplicaID, _ lack: Lack, _ now: Milliseconds) -> Question? {
        guard let source, let link = links[source], link.movedAt + Self.stallLimit > now else { return nil }
        let upTo = link.report.stage == .streaming ? link.report.lacking[chain] : lack.held + 1
        guard upTo > lack.held else { return nil }
        return Question(link: source, upTo: upTo, askedAt: now, deadline: now + Self.patience)
    }

    private func question(_ id: Int, _ chain: ReplicaID, _ attempt: Int, _ now: Milliseconds) -> Question {
        let link = links[id]!
        let roundTrip = link.report.roundTrip ?? Self.roundTripAssumed
        let patience = min(
            (Self.patience + 4 * roundTrip) << Int64(min(attempt - 1, 5)), Self.longestPatience)
        return Question(link: id, upTo: link.report.lacking[chain], askedAt: now, deadline: now + patience)
    }

    /// When somebody should be asked: at once, unless the author is connected, who sends without being asked.
    private func readyAt(_ chain: ReplicaID, _ lack: Lack) -> Milliseconds {
        guard lack.attempts == 0,
            let author = links.values.first(where: { $0.report.author == chain && $0.isCaughtUp })
        else { return lack.since }
        return lack.since + max(Self.patienceWithAuthor, 3 * (author.report.roundTrip ?? 0))
    }

    /// Whoever failed least, is asked for least at the moment, and is nearest.
    private func best(of ids: [Int], _ chain: ReplicaID, _ wanted: [Int: VersionVector]) -> Int {
        func order(_ id: Int) -> (Int, Int, Milliseconds, Int) {
            let link = links[id]!
            let load = wanted[id]?.elements.count ?? 0
            return (link.failures, load, link.report.roundTrip ?? Self.roundTripAssumed, id)
        }
        return ids.min { order($0) < order($1) }!
    }
}

extension IntakeReport {
    /// What is lacking may be this many changes for the two to be in live exchange.
    private static let smallLack: Int64 = 100

    /// Whether so little is lacking that it can be asked for like anything else that is announced.
    fileprivate var isSmall: Bool { lacking.isEmpty || holding.shortfall(of: lacking) <= Self.smallLack }
}

extension Intake.Link {
    /// Until when it may send all while others wait, unless something comes before.
    fileprivate var turnEnds: Milliseconds {
        min(movedAt + Intake.stallLimit, turnSince + Intake.longestTurn)
    }

    /// Whether the peer was told to send all.
    fileprivate var isSendingAll: Bool { order?.mode == .all }
}
