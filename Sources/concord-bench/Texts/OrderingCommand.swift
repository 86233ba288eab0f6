// Histories with many concurrent insertions at one place, and the texts that they must end in: whether the order of
// this implementation is the one of the algorithm's authors.

import ArgumentParser
import ConcordText

/// Checks the order of concurrent insertions.
struct OrderingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ordering", abstract: "Checks histories of concurrent insertions against their texts.",
        discussion: "The file is a list of histories in the conformance format of the eg-walker reference.")

    @Argument(help: "The histories, as JSON or JSON compressed by gzip.", completion: .file())
    var file: String

    func run() throws {
        let cases = try TraceFile.read(file, as: [OrderingCase].self)
        guard !cases.isEmpty else { throw BenchError("\(file) has no histories") }
        var failed: [Int] = []
        for (index, ordering) in cases.enumerated() {
            do {
                var text = MergedText()
                try text.apply(try ordering.edits())
                if text.text.utf8 != Array(ordering.endContent.utf8) { failed.append(index) }
            } catch let error as BenchError {
                throw BenchError("\(file), history \(index): \(error)")
            }
        }
        print("\(cases.count - failed.count) of \(cases.count) histories end in the expected text")
        guard failed.isEmpty else {
            throw BenchError("another text than expected: \(failed.map(String.init).joined(separator: ", "))")
        }
    }
}

/// A history of which events have numbers.
struct OrderingCase: Decodable {
    let endContent: String
    let txns: [Transaction]

    struct Transaction: Decodable {
        /// The number of the first event, and the one behind the last.
        let span: [Int]
        /// The numbers of events.
        let parents: [Int]
        let agent: String
        /// The agent's own number of the first event.
        let seqStart: Int
        let ops: [Patch]
    }

    /// Each transaction as one edit. An event that is named as a parent must be the last of its transaction.
    func edits() throws -> [TextEdit] {
        var edits: [TextEdit] = []
        var ids: [Int: TextEditID] = [:]
        for (index, transaction) in txns.enumerated() {
            guard transaction.span.count == 2, transaction.seqStart >= 0, transaction.agent.utf8.count <= 16
            else {
                throw BenchError("transaction \(index) has no span, or not the name of an agent")
            }
            let id = TextEditID(TextAgent(name: transaction.agent), UInt64(transaction.seqStart) + 1)
            let parents = try transaction.parents.map { parent in
                guard let id = ids[parent] else {
                    throw BenchError(
                        "transaction \(index) follows \(parent), with which no transaction before it ends")
                }
                return id
            }
            edits.append(Patch.edit(id, parents, transaction.ops))
            ids[transaction.span[1] - 1] = id
        }
        return edits
    }
}

extension TextAgent {
    /// The agent whose bytes are those of a name of at most 16, filled up with zeros: their order is that of names.
    init(name: String) {
        let bytes = Array(name.utf8) + Array(repeating: 0, count: 16 - name.utf8.count)
        func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: word(bytes[..<8]), low: word(bytes[8...]))
    }
}
