// What a walk reads, as plain memory: it is looked at millions of times, and nothing of it may be counted by reference
// or checked for sharing meanwhile. All of it lives as long as the walk, and no longer.

/// The memory of one walk.
struct WalkMemory {
    let nodes: UnsafePointer<ConflictGraph.Node>
    let nodeCount: Int
    let parents: UnsafePointer<Int32>
    let content: UnsafeBufferPointer<UInt8>
    let order: EventOrder
    var operations: UnsafeBufferPointer<TextHistory.Operation>

    /// The parents of a node: places of nodes, ascending.
    @inline(__always)
    func parents(of node: Int32) -> UnsafeBufferPointer<Int32> {
        let found = nodes[Int(node)]
        return UnsafeBufferPointer(start: parents + Int(found.parents), count: Int(found.parentCount))
    }

    /// Calls `body` with the memory of a history and of the conflict in it.
    static func with<Result>(
        _ history: TextHistory, _ graph: ConflictGraph, ranks: [Int32], _ body: (WalkMemory) -> Result
    ) -> Result {
        graph.nodes.withUnsafeBufferPointer { nodes in
            graph.parents.withUnsafeBufferPointer { parents in
                history.content.withUnsafeBufferPointer { content in
                    history.edits.withUnsafeBufferPointer { edits in
                        history.operations.withUnsafeBufferPointer { operations in
                            ranks.withUnsafeBufferPointer { ranks in
                                body(
                                    WalkMemory(
                                        nodes: UnsafePointer(nodes.baseAddress.unsafelyUnwrapped),
                                        nodeCount: nodes.count,
                                        parents: UnsafePointer(parents.baseAddress.unsafelyUnwrapped),
                                        content: content, order: EventOrder(edits: edits, ranks: ranks),
                                        operations: operations))
                            }
                        }
                    }
                }
            }
        }
    }
}

extension UnsafeBufferPointer<TextHistory.Operation> {
    /// The part of an operation whose events lie between `start` and `end`, with its text.
    @inline(__always)
    func part(
        _ place: Int, _ start: Int32, _ end: Int32, _ content: UnsafeBufferPointer<UInt8>
    ) -> TextHistory.Part {
        let operation = self[place]
        var bytes = 0..<0
        if operation.kind == .insert {
            let next = place + 1 < count ? Int(self[place + 1].content) : content.count
            bytes = Int(operation.content)..<next
        }
        if operation.start >= start && operation.end <= end {
            return TextHistory.Part(
                kind: operation.kind, start: operation.start, count: operation.length,
                position: operation.position, bytes: bytes)
        }
        return TextHistory.Part(operation, start, end, bytes, content)
    }
}
