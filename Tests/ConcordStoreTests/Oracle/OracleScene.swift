// A small language for histories that are made by hand: who writes what, having seen what.

/// A history under way. Replicas are named after their nodes, such as `A0`, the first node of member `A`.
struct OracleScene {
    let oracle: Oracle
    private(set) var tips: [String: OracleChange] = [:]

    init(founders: String = "AB", admission: Int = 1, suspension: Int = 1) {
        oracle = Oracle(
            OracleCharter(
                space: "space", founders: Set(founders.map(String.init)), admission: admission,
                suspension: suspension, ownedKinds: ["contact"], sharedKinds: ["meeting", "item"]))
    }

    /// A change at the tip of the replica, which depends on `seen` too.
    @discardableResult
    mutating func write(_ replica: String, _ operations: OracleOperation..., seen: OracleChange...)
        -> OracleChange
    {
        write(replica, operations, seen: seen, after: tips[replica])
    }

    /// A change after a given one of the same replica, or as its first; so also a fork.
    @discardableResult
    mutating func write(
        _ replica: String, _ operations: [OracleOperation], seen: [OracleChange], after: OracleChange?,
        certifiedBy issuer: String? = nil
    ) -> OracleChange {
        let sequence = (after?.dot.sequence ?? 0) + 1
        let change = OracleChange(
            hash: "\(oracle.changes.count + 1000)", dot: OracleDot(replica, sequence),
            member: String(replica.first!), node: replica, issuer: after?.issuer ?? issuer,
            previous: after?.hash,
            dependencies: seen.map(\.hash), timestamp: Int64(sequence), operations: operations)
        oracle.learn(change)
        tips[replica] = change
        return change
    }

    /// A new record, named after its first writer.
    mutating func create(
        _ replica: String, kind: String = "meeting", under parent: String? = nil, seen: OracleChange...
    ) -> (change: OracleChange, record: String) {
        let record = "\(kind) \(replica)#\((tips[replica]?.dot.sequence ?? 0) + 1)"
        let change = write(
            replica, [.create(record: record, kind: kind, parent: parent)], seen: seen, after: tips[replica])
        return (change, record)
    }

    var view: OracleView { oracle.view(of: oracle.everything) }

    /// Which of these changes count.
    func effective(_ changes: OracleChange...) -> [Bool] {
        let effective = view.effective
        return changes.map { effective.contains($0.hash) }
    }

    /// The values of the field `x`, ascending.
    func values(_ record: String) -> [String] {
        (view.records[record]?.registers["x"] ?? []).map(\.value).sorted()
    }

    /// Sequences of the replica's changes that count.
    func effective(of replica: String) -> [Int] {
        let effective = view.effective
        return oracle.changes.filter { $0.replica == replica && effective.contains($0.hash) }
            .map(\.dot.sequence).sorted()
    }
}

extension OracleOperation {
    static func set(_ record: String, _ value: String, over: OracleChange...) -> OracleOperation {
        .set(record: record, field: "x", value: value, names: Set(over.map(\.dot)))
    }

    static func note(_ record: String, _ value: String) -> OracleOperation {
        .set(record: record, field: "y", value: value, names: [])
    }

    static func sign(_ act: OracleAct, _ signer: String) -> OracleOperation {
        .act(OracleSignedAct(act, by: signer))
    }
}

extension OracleAct {
    static func admit(_ subject: String, as role: OracleRole = .member, name: String = "admission")
        -> OracleAct
    {
        OracleAct("\(name) of \(subject)", .admit(subject: subject, as: role, predecessor: nil))
    }

    static func suspend(_ subject: String, _ keeps: [String: Int], name: String = "suspension") -> OracleAct {
        OracleAct("\(name) of \(subject)", .suspend(subject: subject, keeps: keeps))
    }

    static func reinstate(_ subject: String, _ suspensions: OracleAct...) -> OracleAct {
        OracleAct(
            "reinstatement of \(subject)",
            .reinstate(subject: subject, suspensions: Set(suspensions.map(\.name))))
    }
}
