// The directed cases of suspension and reinstatement: what the rules give, case by case.

import Testing

@testable import TestSupport

@Suite struct OracleSuspensionTests {
    @Test("of two suspensions the lower cut-off counts, and a reinstatement lifts only what it names")
    func twoCuts() async throws {
        var scene = OracleScene(founders: "ABC")
        let (_, record) = scene.create("A0")
        for sequence in 2...6 { scene.write("A0", .note(record, "\(sequence)")) }
        let first = OracleAct.suspend("A", ["A0": 5])
        let second = OracleAct.suspend("A", ["A0": 3], name: "second")
        scene.write("B0", .sign(first, "B"))
        scene.write("C0", .sign(second, "C"))
        #expect(scene.effective(of: "A0") == [1, 2, 3])
        scene.write("C0", .sign(.reinstate("A", second), "C"))
        #expect(scene.effective(of: "A0") == [1, 2, 3, 4, 5])
        #expect(scene.view.words == ["A": "suspended", "B": "standing", "C": "standing"])
        #expect(scene.view.roster["A"]?.suspensions == [first.name])
        try await scene.confirm()
    }

    @Test("a reinstatement of one member lifts no suspension of another, so nobody lifts its own")
    func foreignReinstatement() async throws {
        var scene = OracleScene(founders: "ABC")
        let (a, _) = scene.create("A0")
        let suspension = OracleAct.suspend("A", ["A0": 1])
        let trick = OracleAct("trick", .reinstate(subject: "B", suspensions: [suspension.name]))
        scene.write("A0", .sign(trick, "A"))
        let later = scene.write("C0", seen: scene.tips["A0"]!)
        scene.write("B0", .sign(suspension, "B"), seen: a)
        #expect(scene.view.words["A"] == "suspended")
        #expect(scene.effective(later) == [true])
        try await scene.confirm()
    }

    @Test("two who suspend each other are both suspended, whatever came first")
    func mutual() async throws {
        var scene = OracleScene()
        let (a, b) = (scene.create("A0").change, scene.create("B0").change)
        scene.write("A0", .sign(.suspend("B", ["B0": 1]), "A"), seen: b)
        scene.write("B0", .sign(.suspend("A", ["A0": 1]), "B"), seen: a)
        #expect(scene.view.words == ["A": "suspended", "B": "suspended"])
        try await scene.confirm()
    }

    @Test("with two signatures each, the one who is reinstated stands again and the other does not")
    func mutualOfTwo() async throws {
        var scene = OracleScene(founders: "ABCD", suspension: 2)
        let made = ["A", "B", "C", "D"].map { scene.create("\($0)0").change }
        let (ofA, ofB) = (OracleAct.suspend("A", ["A0": 1]), OracleAct.suspend("B", ["B0": 1]))
        scene.write("A0", .sign(ofB, "A"), seen: made[1], made[2], made[3])
        scene.write("B0", .sign(ofA, "B"), seen: made[0], made[2], made[3])
        scene.write("C0", .sign(ofA, "C"), .sign(ofB, "C"), seen: made[0], made[1], made[3])
        #expect(
            scene.view.words == ["A": "suspended", "B": "suspended", "C": "standing", "D": "standing"])
        scene.write("D0", .sign(.reinstate("A", ofA), "D"), seen: scene.tips["C0"]!)
        #expect(scene.view.words == ["A": "standing", "B": "suspended", "C": "standing", "D": "standing"])
        try await scene.confirm()
    }

    @Test("an admission that a suspended member dates back admits nobody")
    func backDatedAdmission() async throws {
        var scene = OracleScene()
        let (a, record) = scene.create("A0")
        _ = scene.create("B0", seen: a)
        scene.write("B0", .sign(.suspend("A", ["A0": 1]), "B"))
        let admission = scene.write("A0", .sign(.admit("X"), "A"))
        let write = scene.write("X0", .set(record, "by X"), seen: admission)
        #expect(scene.view.words == ["A": "suspended", "B": "standing"])
        #expect(scene.effective(write, admission) == [false, false])
        try await scene.confirm()
    }

    @Test("two suspended members who are enough to admit admit nobody")
    func twoSuspendedAdmit() async throws {
        var scene = OracleScene(founders: "ABCD", admission: 2, suspension: 2)
        let made = ["A", "B", "C", "D"].map { scene.create("\($0)0").change }
        for (number, victim) in ["A", "B"].enumerated() {
            for signer in ["C", "D"] {
                scene.write(
                    "\(signer)0", .sign(.suspend(victim, ["\(victim)0": 1]), signer), seen: made[number])
            }
        }
        for signer in ["A", "B"] { scene.write("\(signer)0", .sign(.admit("X"), signer)) }
        #expect(
            scene.view.words == ["A": "suspended", "B": "suspended", "C": "standing", "D": "standing"])
        try await scene.confirm()
    }

    @Test("a hidden signature completes an admission only when somebody in standing builds on it")
    func completedByTheHidden() async throws {
        var scene = OracleScene(founders: "ABC", admission: 2)
        let made = ["A", "B", "C"].map { scene.create("\($0)0").change }
        let hidden = scene.write("A0", .sign(.admit("X"), "A"))
        scene.write("C0", .sign(.suspend("A", ["A0": 1]), "C"), seen: made[0])
        scene.write("B0", .sign(.admit("X"), "B"), seen: made[0])
        #expect(scene.view.words == ["A": "suspended", "B": "standing", "C": "standing"])
        scene.write("B0", seen: hidden)
        #expect(scene.view.words == ["A": "suspended", "B": "standing", "C": "standing", "X": "standing"])
        try await scene.confirm()
    }

    @Test("who depends on what is hidden makes it count: an honest writer depends on what is effective")
    func rescue() async throws {
        var scene = OracleScene(founders: "ABC")
        let (created, record) = scene.create("A0")
        let late = scene.write("A0", .set(record, "late"))
        let suspension = scene.write("B0", .sign(.suspend("A", ["A0": 1]), "B"), seen: created)
        let effective = scene.oracle.effect(of: scene.oracle.everything).effective
        #expect(scene.oracle.frontier(of: effective) == [suspension.hash])
        #expect(scene.effective(late) == [false])
        scene.write("C0", .note(record, "1"), seen: late, suspension)
        #expect(scene.effective(late) == [true])
        #expect(scene.view.words["A"] == "suspended")
        try await scene.confirm()
    }

    @Test(
        "a member who was admitted by the suspended alone falls with that admission, and its signature counts"
    )
    func liar() async throws {
        var scene = OracleScene(suspension: 2)
        let a = scene.create("A0").change
        _ = scene.create("B0")
        let admission = scene.write("A0", .sign(.admit("X"), "A"))
        let suspension = OracleAct.suspend("A", ["A0": 1])
        scene.write("X0", .sign(suspension, "X"), seen: admission)
        scene.write("B0", .sign(suspension, "B"), seen: a)
        #expect(scene.view.words == ["A": "suspended", "B": "standing"])
        try await scene.confirm()
    }

    @Test("an observer whose promotion is hidden does not make it count by writing on top of it")
    func observerIsNoRescuer() async throws {
        var scene = OracleScene()
        let (a, record) = scene.create("A0")
        let observer = scene.write("B0", .sign(.admit("X", as: .observer), "B"), seen: a)
        scene.write("B0", .sign(.suspend("A", ["A0": 1]), "B"))
        let promotion = scene.write("A0", .sign(.admit("X", name: "promotion"), "A"), seen: observer)
        let write = scene.write("X0", .set(record, "X"), seen: promotion)
        #expect(scene.view.words == ["A": "suspended", "B": "standing", "X": "observer"])
        #expect(scene.effective(write) == [false])
        try await scene.confirm()
    }

    @Test("a reinstated member's changes come back, and with them those of others on which they rest")
    func reinstatementBringsBack() async throws {
        var scene = OracleScene(founders: "ABC")
        let (a, record) = scene.create("A0")
        let b = scene.create("B0", seen: a).change
        _ = scene.create("C0", seen: b)
        let lateA = scene.write("A0", .set(record, "a2"))
        let lateB = scene.write("B0", .note(record, "b2"), seen: lateA)
        let ofB = OracleAct.suspend("B", ["B0": 1])
        scene.write("C0", .sign(.suspend("A", ["A0": 1]), "C"), .sign(ofB, "C"))
        #expect(scene.effective(lateA, lateB) == [false, false])
        scene.write("C0", .sign(.reinstate("B", ofB), "C"))
        #expect(scene.effective(lateA, lateB) == [true, true])
        #expect(scene.view.words["A"] == "suspended")
        try await scene.confirm()
    }

    @Test("with a threshold of one, a suspended member can still suspend: hidden restrictions count")
    func retaliation() async throws {
        var scene = OracleScene(founders: "ABC")
        let made = ["A", "B", "C"].map { scene.create("\($0)0").change }
        scene.write("B0", .sign(.suspend("A", ["A0": 1]), "B"), seen: made[0])
        scene.write(
            "A0", .sign(.suspend("B", ["B0": 1]), "A"), .sign(.suspend("C", ["C0": 1]), "A"),
            seen: made[1], made[2])
        #expect(scene.view.words == ["A": "suspended", "B": "suspended", "C": "suspended"])
        try await scene.confirm()
    }

    @Test("what a hidden write replaced shows again, and both show when the hidden one comes back")
    func replacedShowsAgain() async throws {
        var scene = OracleScene()
        let (_, record) = scene.create("B0")
        let old = scene.write("B0", .set(record, "old"))
        scene.write("A0", .set(record, "new", over: old), seen: old)
        #expect(scene.values(record) == ["new"])
        let suspension = OracleAct.suspend("A", [:])
        scene.write("B0", .sign(suspension, "B"))
        #expect(scene.values(record) == ["old"])
        scene.write("B0", .set(record, "mine", over: old))
        #expect(scene.values(record) == ["mine"])
        scene.write("B0", .sign(.reinstate("A", suspension), "B"))
        #expect(scene.values(record) == ["mine", "new"])
        try await scene.confirm()
    }
}
