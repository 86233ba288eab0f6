// A heap, for walks back through history: whatever is latest comes first.

/// A heap of numbers with the greatest on top.
struct MaxHeap: ~Copyable {
    private var items: UnsafeMutablePointer<Int64>
    private var room: Int
    private(set) var count = 0

    init(room: Int = 16) {
        self.room = max(room, 4)
        items = .allocate(capacity: self.room)
    }

    init(_ numbers: some Collection<Int64>) {
        self.init(room: numbers.count * 2)
        for number in numbers { push(number) }
    }

    deinit { items.deallocate() }

    var isEmpty: Bool { count == 0 }
    @inline(__always) var top: Int64? { count == 0 ? nil : items[0] }

    @inline(__always)
    mutating func push(_ item: Int64) {
        if count == room { grow() }
        var place = count
        count += 1
        while place > 0 {
            let above = (place - 1) / 2
            guard items[above] < item else { break }
            items[place] = items[above]
            place = above
        }
        items[place] = item
    }

    private mutating func grow() {
        let new = UnsafeMutablePointer<Int64>.allocate(capacity: room * 2)
        new.update(from: items, count: count)
        items.deallocate()
        items = new
        room *= 2
    }

    @inline(__always)
    mutating func pop() -> Int64? {
        guard count > 0 else { return nil }
        let top = items[0]
        removeTop()
        return top
    }

    @inline(__always)
    mutating func removeTop() {
        count -= 1
        guard count > 0 else { return }
        let item = items[count]
        var place = 0
        while true {
            var child = 2 * place + 1
            guard child < count else { break }
            if child + 1 < count, items[child + 1] > items[child] { child += 1 }
            guard items[child] > item else { break }
            items[place] = items[child]
            place = child
        }
        items[place] = item
    }

    mutating func removeAll() { count = 0 }
}
