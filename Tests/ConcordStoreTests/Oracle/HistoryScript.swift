// A history as a list of abstract steps: who does what kind of thing, with numbers where a choice depends on
// what there is to choose from when the step is played. So one script can be played in the oracle alone and
// with real stores.

/// A cast and what it does.
struct HistoryScript {
    /// One node of one member.
    struct Seat {
        let member: Int
        let node: Int
        let isHostile: Bool
    }

    let seed: UInt64
    /// Members are numbered, the founders first.
    let founders: Int
    let members: Int
    let admission: Int
    let suspension: Int
    let seats: [Seat]
    let steps: [HistoryStep]

    func isFounder(_ member: Int) -> Bool { member < founders }
}

/// A number that chooses among whatever there is.
struct HistoryPick {
    let number: Int

    func callAsFunction<Element>(_ choices: [Element]) -> Element? {
        choices.isEmpty ? nil : choices[number % choices.count]
    }
}

/// One step. A step that makes no sense when it is played is left out.
enum HistoryStep {
    /// A change of data by the node in this seat.
    case write(seat: Int, [HistoryEdit], HistoryManner?)
    /// A change that carries signatures of these members under one act.
    case act(seat: Int, HistoryProcedure, signers: [Int], HistoryManner?)
    /// The first so many changes that the other lacks, or all.
    case sync(from: Int, to: Int, limit: Int?)
}

enum HistoryEdit {
    /// A contact, a meeting, an agenda item, or a kind that nobody knows.
    case create(kind: Int, parent: HistoryPick)
    case set(HistoryPick, field: Int, value: Int)
    case add(HistoryPick, element: Int)
    case remove(HistoryPick, element: Int)
    /// An edit of a text, which touches its record; the second number says what it does.
    case edit(HistoryPick, HistoryPick)
    case delete(HistoryPick)
    case restore(HistoryPick)

    var isDelete: Bool { if case .delete = self { true } else { false } }
}

enum HistoryProcedure {
    /// One more signature under an act that somebody drafted before.
    case again(HistoryPick)
    /// Somebody who is not a member yet, if there is anybody.
    case admit(HistoryPick, as: OracleRole, predecessor: Int?)
    case suspend(Int, HistoryKeep)
    /// Of a member that is suspended, those suspensions whose bits are set.
    case reinstate(HistoryPick, which: Int)
    case revoke(seat: Int, HistoryKeep)
    case leave(Int, HistoryKeep)
    case rotate(Int)
}

/// What a cut-off leaves of a replica, as the node in the seat sees it.
enum HistoryKeep {
    case held
    case effective
    case part(HistoryPick)
}

/// How a hostile node departs from what an honest one would do.
struct HistoryManner {
    enum Past {
        /// The frontier of what is effective, as it should be.
        case honest
        /// Its own chain and the beginning of what it holds, as if it had heard of nothing since.
        case backDated(HistoryPick)
        /// Everything that it holds, hidden or not.
        case smuggling
    }

    let past: Past
    /// Which of its own changes it goes on from, if not from the last.
    let fork: HistoryPick?
    /// Names fewer dots than it sees, as a client does that read earlier.
    let isStale: Bool
    /// Names a dot that it cannot know.
    let forged: HistoryPick?
    /// Signs with a key that is not the signer's.
    let forgesSignature: Bool
}
