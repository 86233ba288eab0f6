// The program against both references, over many histories. A failure prints a small history that shows it;
// CONCORD_TEXTS=FIRST-LAST plays other ones.

import ConcordText
import Testing

@Suite struct MergedTextTests {
    /// Many small histories show more than few large ones, but only large ones grow trees.
    static let long = TextScriptSize(
        agents: 2...6, desks: 2...5, edits: 30...90, runs: 1...3, stretch: 1...8, merges: 25)
    static let wide = TextScriptSize(
        agents: 4...6, desks: 4...9, edits: 30...80, runs: 1...1, stretch: 1...2, hostile: 1, erased: 0,
        merges: 12)

    @Test("every text and verdict is that of the definition and of the naive walk", arguments: 0..<8)
    func agreement(part: UInt64) {
        let all = TextSeeds.all
        let size = max(1, (all.upperBound - all.lowerBound + 8) / 8)
        let first = all.lowerBound + part * size
        guard first <= all.upperBound else { return }
        Self.whole.check(first...min(all.upperBound, first + size - 1))
    }

    @Test("long histories and such of many branches agree as well")
    func large() {
        Self.whole.check(TextSeeds.share(200), Self.long)
        Self.whole.check(TextSeeds.share(100), Self.wide)
        Self.stepwise.check(TextSeeds.share(1000), Self.long)
        Self.exchange.check(TextSeeds.share(400), Self.wide)
        Self.exchange.check(TextSeeds.share(400), Self.long)
    }

    static let whole = TextLaw(name: "the whole history in any order and in any parts") { edits, dice in
        let oracle = TreeOracle(edits)
        let other = reordered(edits, &dice)
        var subject = Subject()
        for batch in batches(other, &dice) { try subject.apply(batch) }
        if let fault = try subject.fault(oracle) { return fault }
        let walker = NaiveWalker(reordered(edits, &dice))
        if walker.inert != subject.inert { return "the naive walk says \(walker.inert.sorted()) are inert" }
        return Subject.fault("by the naive walk, the text", subject.text.text, walker.written.map(\.scalar))
    }

    @Test("after each single edit, the text is that of the version reached")
    func oneByOne() { Self.stepwise.check(TextSeeds.share(20)) }

    static let stepwise = TextLaw(name: "one edit at a time") { edits, dice in
        let oracle = TreeOracle(edits)
        var subject = Subject()
        for edit in reordered(edits, &dice) {
            try subject.apply([edit])
            if let fault = try subject.fault(oracle) { return "after \(edit.id): \(fault)" }
        }
        return nil
    }

    @Test("replicas that know different parts come to the same text by exchanging what they lack")
    func exchanging() { Self.exchange.check(TextSeeds.share(10)) }

    static let exchange = TextLaw(name: "two replicas that exchange edits") { edits, dice in
        let oracle = TreeOracle(edits)
        var replicas = [Subject(), Subject()]
        let orders = [reordered(edits, &dice), reordered(edits, &dice)]
        for replica in 0...1 {
            try replicas[replica].apply(Array(orders[replica].prefix(dice.below(edits.count + 1))))
        }
        for round in 0..<4 {
            for replica in 0...1 {
                let known = Set(replicas[replica].applied)
                // Each has its own order of what it knows; the last round leaves nothing out.
                let others = Set(replicas[1 - replica].applied)
                let lacking =
                    round < 3
                    ? orders[1 - replica].filter { others.contains($0.id) && !known.contains($0.id) }
                    : orders[replica].filter { !known.contains($0.id) }
                let part = round < 2 ? Array(lacking.prefix(dice.below(lacking.count + 1))) : lacking
                for batch in batches(part, &dice) { try replicas[replica].apply(batch) }
                if let fault = try replicas[replica].fault(oracle) { return "replica \(replica): \(fault)" }
            }
        }
        return nil
    }

    @Test("the text at any version can be read, and who wrote which part of it")
    func oldVersions() { Self.versions.check(TextSeeds.share(10)) }

    static let versions = TextLaw(name: "texts and passages at versions") { edits, dice in
        let oracle = TreeOracle(edits)
        var subject = Subject()
        for batch in batches(reordered(edits, &dice), &dice) { try subject.apply(batch) }
        let newest = try subject.passages()
        if newest != expectedPassages(oracle.written(at: subject.applied)) {
            return "the newest passages are \(newest)"
        }
        for _ in 0..<4 {
            let version = someVersion(edits, &dice)
            let expected = oracle.written(at: version)
            let found = try subject.text.text(at: version)
            if let fault = Subject.fault("the text at \(version)", found, expected.map(\.scalar)) {
                return fault
            }
            let known = edits.map(\.id).filter { oracle.isKnown($0, at: version) }
            let contained = try subject.text.history.edits(of: version)
            if contained.sorted() != known.sorted() { return "\(version) contains \(contained)" }
            let implied = version.filter { edit in
                version.contains { $0 != edit && oracle.isKnown(edit, at: [$0]) }
            }
            let minimal = try subject.text.history.minimal(version)
            if minimal != Set(version).subtracting(implied).sorted() { return "\(version) is \(minimal)" }
            let passages = try subject.passages(at: version)
            if passages != expectedPassages(expected) { return "the passages at \(version) are \(passages)" }
        }
        return try subject.fault(oracle)
    }

    @Test("typing here is as good as taking in the same edits")
    func typing() { Self.typed.check(TextSeeds.share(10)) }

    @Test("deleting here what two branches lead to joins them")
    func typingOnBranches() throws {
        var text = MergedText()
        try text.apply([TextEdit("b1", []), TextEdit("b4", [.insert(1, at: 0)], "a")])
        try text.edit("a1", at: 0, deleting: 1, inserting: [])
        #expect(text.version == ["a1"])
        #expect(text.text.scalarCount == 0)
    }

    static let typed = TextLaw(name: "typed here where that can be") { edits, dice in
        let oracle = TreeOracle(edits)
        var subject = Subject()
        for edit in dice.chance(50) ? edits : reordered(edits, &dice) {
            let isHere = Set(edit.parents) == Set(subject.text.version) && !oracle.inert.contains(edit.id)
            if isHere, edit.runs.count < 2, let inserted = edit.inserted {
                let run = edit.runs.first ?? .delete(0, at: 0)
                try subject.text.edit(
                    edit.id, at: Int(run.position), deleting: Int(run.deleted), inserting: inserted)
                subject.applied.append(edit.id)
            } else {
                try subject.apply([edit])
            }
            if let fault = try subject.fault(oracle) { return "after \(edit.id): \(fault)" }
        }
        let loaded = try TextHistory(chunks: StoredHistoryTests.chunks(subject.text.history, &dice))
        return Subject.fault(
            "the text replayed", MergedText(replaying: loaded).text,
            oracle.written(at: subject.applied).map(\.scalar))
    }

    @Test("other names in the same order give the same text")
    func renaming() { Self.names.check(TextSeeds.share(20)) }

    static let names = TextLaw(name: "renamed agents") { edits, dice in
        var (first, second) = (Subject(), Subject())
        try first.apply(edits)
        try second.apply(reordered(renamed(edits, &dice), &dice))
        return first.text.text == second.text.text ? nil : "the texts differ"
    }
}
