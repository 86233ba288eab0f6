// Acts of members in their own affairs: leaving, changing keys, taking over a lost identity.

import Testing

@testable import TestSupport

@Suite struct OracleActTests {
    @Test("who leaves keeps what it had written, writes no more, and a new admission lets it return")
    func leave() async throws {
        var scene = OracleScene(founders: "AB")
        let (created, record) = scene.create("A0")
        let leaving = OracleAct(
            "leave", .leave(subject: "A", standing: ["space"], keeps: ["A0": 2]))
        let note = scene.write("A0", .note(record, "last"))
        let carrier = scene.write("A0", .sign(leaving, "A"))
        let after = scene.write("A0", .set(record, "after"))
        #expect(scene.view.words == ["B": "standing"])
        #expect(scene.effective(created, note, carrier, after) == [true, true, false, false])
        let admission = scene.write("B0", .sign(.admit("A"), "B"), seen: note)
        #expect(scene.view.words == ["A": "standing", "B": "standing"])
        let back = scene.write("A0", .set(record, "back"), seen: admission)
        #expect(scene.effective(carrier, after, back) == [true, true, true])
        #expect(scene.values(record) == ["back"])
        #expect(scene.view.refused == [[after.hash, "0"]])
        try await scene.confirm()
    }

    @Test("nobody leaves for another, and an admission that was not named lets the member stay")
    func leaveIsOwn() async throws {
        var scene = OracleScene(founders: "AB")
        scene.write(
            "B0", .sign(OracleAct("forced", .leave(subject: "A", standing: ["space"], keeps: [:])), "B"))
        #expect(scene.view.words == ["A": "standing", "B": "standing"])
        scene.write("B0", .sign(.admit("A"), "B"))
        scene.write(
            "A0", .sign(OracleAct("leave", .leave(subject: "A", standing: ["space"], keeps: [:])), "A"))
        #expect(scene.view.words == ["A": "standing", "B": "standing"])
        try await scene.confirm()
    }

    @Test("the new authority key signs and the old one does not, as each change knew it")
    func rotation() async throws {
        var scene = OracleScene(founders: "ABC", suspension: 2)
        let rotation = OracleAct("rotation", .rotate(subject: "A", replaces: "A", key: "A'"))
        let carrier = scene.write("A0", .sign(rotation, "A"))
        #expect(scene.view.roster["A"]?.keys == ["A'"])
        let byNew = OracleSignedAct(.admit("X"), by: "A", key: "A'")
        let byOld = OracleSignedAct(.admit("Y"), by: "A", key: "A")
        scene.write("B0", .act(byNew), .act(byOld), seen: carrier)
        scene.write("C0", .act(OracleSignedAct(.admit("Z"), by: "A", key: "A'")))
        #expect(Set(scene.view.words.keys) == ["A", "B", "C", "X"])
        scene.write("C0", .act(OracleSignedAct(.admit("V"), by: "A", key: "A")))
        #expect(scene.view.words["V"] == "standing")
        try await scene.confirm()
    }

    @Test("a rotation that another signed, or with another key than it replaces, has no effect")
    func foreignRotation() async throws {
        var scene = OracleScene(founders: "AB")
        let rotation = OracleAct("rotation", .rotate(subject: "A", replaces: "A", key: "A'"))
        scene.write("B0", .act(OracleSignedAct(rotation, by: "A", key: nil)), .sign(rotation, "B"))
        let other = OracleAct("other", .rotate(subject: "A", replaces: "A''", key: "A'"))
        scene.write("A0", .sign(other, "A"))
        #expect(scene.view.roster["A"]?.keys == ["A"])
        try await scene.confirm()
    }

    @Test(
        "the new authority certifies nodes; what the old one certified goes on, and begins nothing new"
    )
    func rotatedCertificates() async throws {
        var scene = OracleScene(founders: "AB")
        let (created, record) = scene.create("A0")
        let rotation = OracleAct("rotation", .rotate(subject: "A", replaces: "A", key: "A'"))
        let carrier = scene.write("A0", .sign(rotation, "A"))
        let old = scene.write("A0", .set(record, "old node"))
        let fresh = scene.write("A1", [.note(record, "1")], seen: [carrier], after: nil, certifiedBy: "A'")
        let late = scene.write("A2", [.note(record, "2")], seen: [carrier], after: nil, certifiedBy: "A")
        let early = scene.write("A3", [.note(record, "3")], seen: [created], after: nil, certifiedBy: "A'")
        let blind = scene.write("A4", [.note(record, "4")], seen: [created], after: nil, certifiedBy: "A")
        #expect(scene.effective(old, fresh, late, early, blind) == [true, true, false, false, true])
        let aware = scene.write("A4", .note(record, "5"), seen: carrier)
        #expect(scene.effective(aware) == [true])
        try await scene.confirm()
    }

    @Test("a member that is admitted in the place of a lost identity writes what that one owned")
    func predecessor() async throws {
        var scene = OracleScene(founders: "AB")
        let (created, record) = scene.create("A0", kind: "contact")
        let act = OracleAct("again", .admit(subject: "N", as: .member, predecessor: "A"))
        let admission = scene.write("B0", .sign(act, "B"), seen: created)
        scene.write("N0", .set(record, "taken over"), seen: admission)
        scene.write("B0", .set(record, "foreign"))
        #expect(scene.values(record) == ["taken over"])
        try await scene.confirm()
    }

    @Test("a member revokes nodes of its own and no others")
    func foreignRevocation() async throws {
        var scene = OracleScene(founders: "AB")
        let (created, _) = scene.create("A0")
        let revocation = OracleAct("revocation", .revoke(node: "A0", keeps: [:]))
        scene.write("B0", .sign(revocation, "B"), seen: created)
        let later = scene.write("A0", seen: scene.tips["B0"]!)
        #expect(scene.effective(created, later) == [true, true])
        try await scene.confirm()
    }

    @Test("an observer's and the subject's own signature do not count, nor does a forged one")
    func invalid() async throws {
        var scene = OracleScene(founders: "AB", admission: 2)
        scene.write(
            "A0", .sign(.admit("X", as: .observer), "A"), .sign(.admit("X", as: .observer), "B"),
            .act(OracleSignedAct(.admit("Z"), by: "B", key: nil)), .sign(.admit("Z"), "A"))
        scene.write("A0", .sign(.admit("Y"), "A"), .sign(.admit("Y"), "X"))
        scene.write(
            "A0", .sign(.admit("X", name: "promotion"), "X"), .sign(.admit("X", name: "promotion"), "A"))
        #expect(scene.view.words == ["A": "standing", "B": "standing", "X": "observer"])
        try await scene.confirm()
    }
}
