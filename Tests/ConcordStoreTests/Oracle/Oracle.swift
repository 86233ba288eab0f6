// The rules of membership and merge (Protocol/changes.md, B to D), written down literally over sets of
// changes. It shares no code with the store and keeps nothing between questions but what it was told and what
// it has computed already: slow, and obviously a pure function of the set that it is asked about. What the
// store does incrementally, in any order of arrival, must equal what the oracle answers.

/// Answers what any set of changes means.
final class Oracle {
    let charter: OracleCharter
    /// Everything that exists anywhere, each change after its past.
    private(set) var changes: [OracleChange] = []
    private(set) var pasts: [OracleSet] = []
    private(set) var number: [String: Int] = [:]
    private(set) var carriers = OracleSet()
    /// What was answered before; pure functions of their keys.
    var standings: [OracleSet: Standing] = [:]
    var allowed: [Int: [Bool]] = [:]
    var creations: [String: [(change: Int, operation: Int)]] = [:]

    /// The name of the branch that begins with the change of this hash.
    let branchName: (String) -> String

    init(_ charter: OracleCharter, branchName: @escaping (String) -> String = { "branch \($0)" }) {
        self.charter = charter
        self.branchName = branchName
    }

    /// Tells the oracle of a change whose past it knows.
    ///
    /// - Returns: its number.
    @discardableResult
    func learn(_ change: OracleChange) -> Int {
        if let known = number[change.hash] { return known }
        var past = OracleSet()
        for hash in change.dependencies + [change.previous].compactMap({ $0 }) {
            guard let parent = number[hash] else { preconditionFailure("\(hash) comes after what needs it") }
            past.formUnion(pasts[parent])
            past.insert(parent)
        }
        let index = changes.count
        changes.append(change)
        pasts.append(past)
        number[change.hash] = index
        if !change.signedActs.isEmpty { carriers.insert(index) }
        for (place, operation) in change.operations.enumerated() {
            if case .create(let record, _, _) = operation {
                creations[record, default: []].append((index, place))
            }
        }
        return index
    }

    /// The changes of these hashes with their pasts.
    func closure(_ hashes: some Sequence<String>) -> OracleSet {
        var set = OracleSet()
        for hash in hashes {
            guard let index = number[hash] else { preconditionFailure("\(hash) is unknown") }
            set.formUnion(pasts[index])
            set.insert(index)
        }
        return set
    }

    /// Everything that the oracle was told of.
    var everything: OracleSet { OracleSet(changes.indices) }

    func change(_ hash: String) -> OracleChange? { number[hash].map { changes[$0] } }

    /// The first change of the chain that this one belongs to.
    func root(of change: Int) -> Int {
        var index = change
        while let previous = changes[index].previous { index = number[previous]! }
        return index
    }

    /// The name of the segment of its replica's tree in which a change stands, as it follows from what is
    /// held: the replica's for one that begins at the only root, else that of a branch.
    func chainName(of change: Int, in held: OracleSet) -> String {
        var index = change
        while true {
            let one = changes[index]
            let siblings = held.count {
                changes[$0].replica == one.replica && changes[$0].previous == one.previous
            }
            if siblings > 1 { return branchName(one.hash) }
            guard let previous = one.previous else { return one.replica }
            index = number[previous]!
        }
    }

    /// Whether the first change lies in the strict past of the second.
    func isBefore(_ first: Int, _ second: Int) -> Bool { pasts[second].contains(first) }
}
