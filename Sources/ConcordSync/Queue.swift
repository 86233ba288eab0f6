// First in, first out, with constant time at both ends on average.

/// A queue.
struct Queue<Element: Sendable>: Sendable {
    private var storage: [Element] = []
    private var start = 0

    var isEmpty: Bool { start == storage.count }
    var count: Int { storage.count - start }
    var first: Element? { isEmpty ? nil : storage[start] }

    /// The elements, the first in first.
    var elements: ArraySlice<Element> { storage[start...] }

    mutating func append(_ element: Element) { storage.append(element) }

    mutating func removeFirst(_ count: Int = 1) {
        precondition(count <= self.count)
        start += count
        guard start > 32, start * 2 > storage.count else { return }
        storage.removeFirst(start)
        start = 0
    }
}
