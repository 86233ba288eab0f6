// The rows of a page of a table, whatever table it is: a leaf of an SQLite b-tree, taken apart cell by cell. A cell that
// makes no sense is passed over; the others are still rows.

/// A value of a stored row.
enum StoredValue: Hashable {
    case null
    case integer(Int64)
    case real
    case text([UInt8])
    case blob([UInt8])

    var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    var blob: [UInt8]? { if case .blob(let bytes) = self { bytes } else { nil } }
    var text: [UInt8]? { if case .text(let bytes) = self { bytes } else { nil } }
    var isNull: Bool { self == .null }
}

/// A row and its number.
struct StoredRow {
    let number: Int64
    let values: [StoredValue]
}

/// Takes pages apart.
struct RowScanner {
    private static let tableLeaf: UInt8 = 0x0d
    /// A row of this program is never larger: a change, with room for a record's texts in JSON.
    private static let maximumBytes = 64 << 20

    let pages: DatabasePages

    /// The rows of a page; none if it is no leaf of a table.
    func rows(of form: DatabasePages.Form) -> [StoredRow] {
        let page = form.bytes
        let start = form.isFirst ? 100 : 0
        guard page.count >= start + 8, page[start] == Self.tableLeaf else { return [] }
        let count = Int(page.bigEndian16(start + 3))
        guard start + 8 + 2 * count <= page.count else { return [] }
        return (0..<count).compactMap { row(at: Int(page.bigEndian16(start + 8 + 2 * $0)), in: form) }
    }

    private func row(at place: Int, in form: DatabasePages.Form) -> StoredRow? {
        let page = form.bytes
        var place = place
        guard let size = Self.varint(page, &place), let number = Self.varint(page, &place),
            size > 0, size <= Self.maximumBytes,
            let payload = payload(Int(size), at: place, in: form)
        else { return nil }
        return Self.values(payload).map { StoredRow(number: number, values: $0) }
    }

    /// The bytes of a cell, with those on overflow pages.
    private func payload(_ size: Int, at place: Int, in form: DatabasePages.Form) -> [UInt8]? {
        let page = form.bytes
        let usable = pages.pageSize
        let largest = usable - 35
        var local = size
        if size > largest {
            let smallest = (usable - 12) * 32 / 255 - 23
            let wanted = smallest + (size - smallest) % (usable - 4)
            local = wanted <= largest ? wanted : smallest
        }
        guard place + local + (local < size ? 4 : 0) <= page.count else { return nil }
        var bytes = Array(page[place..<place + local])
        guard local < size else { return bytes }
        bytes.reserveCapacity(size)
        var next = Int(page.bigEndian32(place + local))
        while bytes.count < size {
            guard next > 0, let overflow = pages.page(next, beyond: form.isBeyond) else { return nil }
            bytes += overflow[4..<min(4 + size - bytes.count, usable)]
            next = Int(overflow.bigEndian32(0))
        }
        return bytes
    }

    private static func values(_ payload: [UInt8]) -> [StoredValue]? {
        var place = 0
        guard let headerSize = varint(payload, &place), headerSize > 0, headerSize <= payload.count else {
            return nil
        }
        var body = Int(headerSize)
        var values: [StoredValue] = []
        while place < Int(headerSize) {
            guard let type = varint(payload, &place), type >= 0,
                let value = value(of: type, in: payload, &body)
            else { return nil }
            values.append(value)
        }
        return place == Int(headerSize) && body == payload.count ? values : nil
    }

    private static func value(of type: Int64, in payload: [UInt8], _ place: inout Int) -> StoredValue? {
        func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count <= payload.count - place else { return nil }
            defer { place += count }
            return payload[place..<place + count]
        }
        switch type {
        case 0: return .null
        case 1...6:
            let sizes = [1, 2, 3, 4, 6, 8]
            guard let bytes = take(sizes[Int(type) - 1]), let first = bytes.first else { return nil }
            let sign: Int64 = first & 0x80 == 0 ? 0 : -1
            return .integer(bytes.reduce(sign) { $0 << 8 | Int64($1) })
        case 7: return take(8).map { _ in .real }
        case 8: return .integer(0)
        case 9: return .integer(1)
        case 10, 11: return nil
        default:
            guard type <= Int64(maximumBytes) * 2, let bytes = take(Int(type - 12) / 2) else { return nil }
            return type % 2 == 0 ? .blob(Array(bytes)) : .text(Array(bytes))
        }
    }

    /// A number of one to nine bytes, the most significant first.
    private static func varint(_ bytes: [UInt8], _ place: inout Int) -> Int64? {
        var value: UInt64 = 0
        for index in 0..<9 {
            guard place < bytes.count else { return nil }
            let byte = bytes[place]
            place += 1
            if index == 8 { return Int64(bitPattern: value << 8 | UInt64(byte)) }
            value = value << 7 | UInt64(byte & 0x7f)
            if byte & 0x80 == 0 { return Int64(bitPattern: value) }
        }
        return nil
    }
}
