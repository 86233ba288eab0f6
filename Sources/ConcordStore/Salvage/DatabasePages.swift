// The pages of an SQLite file and of its write-ahead log, read without SQLite, which gives up on a table as soon as one
// page on the way to its rows is damaged. Nothing is written. The format is "Database File Format" (sqlite.org).

import ConcordModel
import Foundation

/// The pages of a database that may be damaged.
struct DatabasePages {
    /// Bytes of a page.
    let pageSize: Int
    /// Pages of the database file.
    let count: Int
    /// Frames of the write-ahead log of which the checksums do not hold: what SQLite does not look at any more.
    private(set) var brokenFrames = 0
    /// Whether the head of the write-ahead log is damaged, so that SQLite passes over all of it.
    private(set) var isLogHeadDamaged = false
    private let file: FileHandle
    private let log: FileHandle?
    /// Where in the log the latest form of a page stands.
    private var latest: [Int: Int] = [:]
    /// Where in the log there are other forms, whole or not.
    private var others: [Int] = []
    /// Where in the part of the log that SQLite does not look at any more the last form of a page stands.
    private var beyond: [Int: Int] = [:]

    private static let logHeader = 32
    private static let frameHeader = 24

    /// Opens the files.
    ///
    /// - Parameter path: The database; its log, if there is one, stands beside it.
    /// - Throws: ``ConcordError`` E-1010 if the database cannot be read.
    init(path: String) throws {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw ConcordError(.unreadableFile, "\(path) cannot be read")
        }
        self.file = file
        let size = Int(try file.seekToEnd())
        log = FileHandle(forReadingAtPath: path + "-wal")
        let head = Self.read(file, at: 0, count: 100)
        let logHead = log.map { Self.read($0, at: 0, count: Self.logHeader) } ?? []
        pageSize = Self.pageSize(head: head, logHead: logHead)
        count = (size + pageSize - 1) / pageSize
        if logHead.count == Self.logHeader { indexLog(logHead) }
    }

    /// The latest form of a page, from 1 on; nil if there is none or the disk cannot read it.
    ///
    /// - Parameter isBeyond: whether what stands beyond the sound part of the log comes first.
    func page(_ number: Int, beyond isBeyond: Bool = false) -> [UInt8]? {
        if isBeyond, let log, let place = beyond[number] {
            return whole(Self.read(log, at: place, count: pageSize))
        }
        if let log, let place = latest[number] { return whole(Self.read(log, at: place, count: pageSize)) }
        guard number >= 1, number <= count else { return nil }
        return whole(Self.read(file, at: (number - 1) * pageSize, count: pageSize))
    }

    /// Every form of every page that there is, the latest ones first. A form that is not the latest may hold what a
    /// damaged latest one has lost.
    func scan(_ body: (_ page: Form) throws -> Void) rethrows {
        let last = max(count, latest.keys.max() ?? 0)
        for number in stride(from: 1, through: last, by: 1) {
            if let page = page(number) { try body(Form(bytes: page, isFirst: number == 1, isBeyond: false)) }
        }
        for number in latest.keys.sorted() where number <= count {
            let page = Self.read(file, at: (number - 1) * pageSize, count: pageSize)
            if page.count == pageSize { try body(Form(bytes: page, isFirst: number == 1, isBeyond: false)) }
        }
        guard let log else { return }
        for place in others {
            let page = Self.read(log, at: place, count: pageSize)
            // Which page this is does not matter, save for the first, which holds no rows of this program's tables.
            if page.count == pageSize { try body(Form(bytes: page, isFirst: false, isBeyond: true)) }
        }
    }

    /// A form of a page.
    struct Form {
        let bytes: [UInt8]
        /// Whether it is page 1, which begins with the file's header.
        let isFirst: Bool
        /// Whether pages that it names are to be looked for beyond the sound part of the log first.
        let isBeyond: Bool
    }

    /// Pages that the file or its log should have and that cannot be read.
    var unreadable: Int { (1...max(1, count)).count { page($0) == nil } }

    private func whole(_ bytes: [UInt8]) -> [UInt8]? { bytes.count == pageSize ? bytes : nil }

    private static func pageSize(head: [UInt8], logHead: [UInt8]) -> Int {
        let fromLog = logHead.count == logHeader ? Int(logHead.bigEndian32(8)) : 0
        let fromFile = head.count == 100 ? Int(head.bigEndian16(16)) : 0
        for size in [fromFile == 1 ? 65_536 : fromFile, fromLog]
        where (512...65_536).contains(size) && size & (size - 1) == 0 {
            return size
        }
        // What this program has always written.
        return 4096
    }

    /// Finds the latest committed form of each page, and what lies beyond.
    private mutating func indexLog(_ head: [UInt8]) {
        guard let log else { return }
        var sum = WALChecksum(isBigEndian: head.bigEndian32(0) & 1 == 1)
        sum.add(head[0..<24])
        var isValid =
            head.bigEndian32(0) & ~1 == 0x377f_0682
            && sum.pair == (head.bigEndian32(24), head.bigEndian32(28))
        // SQLite passes over the whole log if the header is damaged; what its frames have in common they say themselves.
        let salt = isValid ? Array(head[16..<24]) : saltOfFrames(log) ?? []
        isLogHeadDamaged = !isValid && !salt.isEmpty
        var pending: [(page: Int, place: Int)] = []
        var place = Self.logHeader
        while true {
            let header = Self.read(log, at: place, count: Self.frameHeader)
            guard header.count == Self.frameHeader else { break }
            let body = Self.read(log, at: place + Self.frameHeader, count: pageSize)
            guard body.count == pageSize else { break }
            let isSalted = Array(header[8..<16]) == salt
            if isValid {
                sum.add(header[0..<8])
                sum.add(body[...])
                isValid = isSalted && sum.pair == (header.bigEndian32(16), header.bigEndian32(20))
            }
            let start = place + Self.frameHeader
            if isValid {
                pending.append((Int(header.bigEndian32(0)), start))
                if header.bigEndian32(4) > 0 {
                    for (page, place) in pending {
                        if let former = latest.updateValue(place, forKey: page) { others.append(former) }
                    }
                    pending = []
                }
            } else {
                if isSalted {
                    brokenFrames += 1
                    beyond[Int(header.bigEndian32(0))] = start
                }
                others.append(start)
            }
            place = start + pageSize
        }
        others += pending.map(\.place)
    }

    /// The salt of the first two frames in a row that have the same, or of the only one.
    private func saltOfFrames(_ log: FileHandle) -> [UInt8]? {
        var place = Self.logHeader
        var last: [UInt8]?
        while true {
            let header = Self.read(log, at: place, count: Self.frameHeader)
            guard header.count == Self.frameHeader else { return last }
            let salt = Array(header[8..<16])
            if salt == last { return salt }
            last = salt
            place += Self.frameHeader + pageSize
        }
    }

    /// As much as can be read; less at the end of the file, or where the disk fails.
    private static func read(_ file: FileHandle, at offset: Int, count: Int) -> [UInt8] {
        do {
            try file.seek(toOffset: UInt64(offset))
            return [UInt8](try file.read(upToCount: count) ?? Data())
        } catch {
            return []
        }
    }
}

/// The running checksum of a write-ahead log.
private struct WALChecksum {
    let isBigEndian: Bool
    private var first: UInt32 = 0
    private var second: UInt32 = 0

    init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

    var pair: (UInt32, UInt32) { (first, second) }

    /// - Parameter bytes: A multiple of eight bytes.
    mutating func add(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { buffer in
            for offset in stride(from: 0, to: buffer.count - 7, by: 8) {
                first &+= word(buffer.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) &+ second
                second &+= word(buffer.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)) &+ first
            }
        }
    }

    private func word(_ raw: UInt32) -> UInt32 {
        isBigEndian ? UInt32(bigEndian: raw) : UInt32(littleEndian: raw)
    }
}

extension [UInt8] {
    func bigEndian16(_ offset: Int) -> UInt16 { UInt16(self[offset]) << 8 | UInt16(self[offset + 1]) }

    func bigEndian32(_ offset: Int) -> UInt32 {
        UInt32(bigEndian16(offset)) << 16 | UInt32(bigEndian16(offset + 2))
    }
}
