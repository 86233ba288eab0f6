// Where the tracker finds the character of an event: in which leaf it is. A number per event, in pages that are made when they are first needed; a page of the placeholder that lies in
// one leaf as a whole is a single number.

/// For each event of a merge, and each character of the placeholder, a number.
struct EventPlaces: ~Copyable {
    #if DEBUG
    private static let shift: Int32 = 4
    #else
    private static let shift: Int32 = 12
    #endif
    private static var size: Int32 { 1 << shift }
    private static var mask: Int32 { size - 1 }

    private struct Block {
        var page: UnsafeMutablePointer<Int32>?
        var whole: Int32 = -1
    }

    private let firstEvent: Int32
    private let events: UnsafeMutableBufferPointer<Block>
    private var placeholder: UnsafeMutableBufferPointer<Block>
    private var spare: [UnsafeMutablePointer<Int32>] = []

    /// Room for the events of a merge.
    init(events range: Range<Int32>) {
        firstEvent = range.lowerBound
        events = .allocate(capacity: (range.count >> Int(Self.shift)) + 1)
        events.initialize(repeating: Block(page: nil))
        placeholder = .allocate(capacity: 0)
    }

    deinit {
        for block in events { block.page?.deallocate() }
        for block in placeholder { block.page?.deallocate() }
        events.deallocate()
        placeholder.deallocate()
        for page in spare { page.deallocate() }
    }

    /// Begins anew with a placeholder of this many characters. What is known of events before stays, and is not asked
    /// for any more.
    mutating func reset(placeholder length: Int) {
        let count = (length >> Int(Self.shift)) + 1
        for block in placeholder {
            if let page = block.page { spare.append(page) }
        }
        if placeholder.count < count {
            placeholder.deallocate()
            placeholder = .allocate(capacity: count + count / 2)
        }
        placeholder.initialize(repeating: Block(page: nil))
    }

    private mutating func page(filledWith value: Int32) -> UnsafeMutablePointer<Int32> {
        let page = spare.popLast() ?? .allocate(capacity: Int(Self.size))
        page.initialize(repeating: value, count: Int(Self.size))
        return page
    }

    @inline(__always)
    private func block(_ id: Int32) -> (block: UnsafeMutablePointer<Block>, offset: Int32) {
        let isEvent = id < Tracker.placeholder
        let index = id - (isEvent ? firstEvent : Tracker.placeholder)
        let blocks = (isEvent ? events : placeholder).baseAddress.unsafelyUnwrapped
        return (blocks + Int(index >> Self.shift), index & Self.mask)
    }

    /// The number of an event, or of a character of the placeholder.
    @inline(__always)
    subscript(id: Int32) -> Int32 {
        let (block, offset) = block(id)
        guard let page = block.pointee.page else { return block.pointee.whole }
        return page[Int(offset)]
    }

    /// Sets one number.
    @inline(__always)
    mutating func set(_ id: Int32, to value: Int32) {
        let (block, offset) = block(id)
        if block.pointee.page == nil { block.pointee.page = page(filledWith: block.pointee.whole) }
        block.pointee.page.unsafelyUnwrapped[Int(offset)] = value
    }

    /// Sets the numbers of consecutive ids.
    @inline(__always)
    mutating func set(_ first: Int32, _ count: Int32, to value: Int32) {
        var (id, left) = (first, count)
        while left > 0 {
            let (block, offset) = block(id)
            let part = min(left, Self.size - offset)
            if let page = block.pointee.page {
                (page + Int(offset)).update(repeating: value, count: Int(part))
            } else if part == Self.size {
                block.pointee.whole = value
            } else if block.pointee.whole != value {
                let page = page(filledWith: block.pointee.whole)
                (page + Int(offset)).update(repeating: value, count: Int(part))
                block.pointee.page = page
            }
            id += part
            left -= part
        }
    }
}
