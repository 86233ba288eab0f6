// The folder of automatic backups. Their names say what they are, so that nothing else in the folder is ever touched,
// and which there are is a matter of the disk alone.

import ConcordAPI
import ConcordModel
import ConcordStore
import Glibc

/// Automatic backups on the disk.
public struct BackupFolder: Sendable {
    /// A backup in the folder.
    public struct Item: Hashable, Sendable {
        /// The file.
        public let path: String
        /// When it was begun, in milliseconds since 1970.
        public let at: Int64
        /// How large it is.
        public let bytes: Int64
    }

    private static let prefix = "concord-"
    private static let suffix = ".backup"

    /// The folder.
    public let path: String

    /// The backups in this folder, which need not exist.
    public init(path: String) { self.path = path }

    /// The name of a backup that is begun now, such as `concord-20261129T021000.000Z.backup`.
    static func name(at time: Int64) -> String {
        prefix + Timestamp.text(milliseconds: time).filter { $0 != "-" && $0 != ":" } + suffix
    }

    /// When a backup of this name was begun; nil for any other file.
    static func time(ofName name: String) -> Int64? {
        guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
        let text = Array(name.dropFirst(prefix.count).dropLast(suffix.count))
        guard text.count == 20, text[8] == "T" else { return nil }
        func part(_ range: Range<Int>) -> String { String(text[range]) }
        let written =
            "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<20))"
        guard let time = Timestamp.milliseconds(text: written), Self.name(at: time) == name else {
            return nil
        }
        return time
    }

    /// The finished backups, the latest first; none if the folder cannot be read.
    public func items() -> [Item] {
        FileSystem.names(path).compactMap { name in
            guard let time = Self.time(ofName: name) else { return nil }
            let file = "\(path)/\(name)"
            var information = stat()
            guard stat(file, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { return nil }
            return Item(path: file, at: time, bytes: Int64(information.st_size))
        }.sorted { $0.at > $1.at }
    }

    /// The finished backups, the latest first, and after them those of which the name is of a time to come: a clock was
    /// once ahead.
    public func items(now: Int64) -> [Item] {
        let items = items()
        return items.filter { $0.at <= now } + items.filter { $0.at > now }
    }

    /// The last backup that verified: the newest in the folder, or the one that the database remembers, which may lie
    /// elsewhere or be forgotten there, since it was restored. One of a time to come is neither.
    public func lastGood(remembered record: BackupRecord?, now: Int64) -> BackupRecord? {
        let newest = items().first { $0.at <= now }.map {
            BackupRecord(at: $0.at, path: $0.path, bytes: $0.bytes)
        }
        guard let record, record.at <= now, record.at >= newest?.at ?? 0 else { return newest }
        return record
    }

    /// Removes what a process left behind that ended while it made a backup: files with something after the name of one.
    func removeUnfinished() {
        for name in FileSystem.names(path) {
            guard let end = name.range(of: Self.suffix)?.upperBound, end < name.endIndex,
                Self.time(ofName: String(name[..<end])) != nil
            else { continue }
            unlink("\(path)/\(name)")
        }
    }
}

extension StatusDocument.Backup {
    /// What a node says of its last good backup, and in milliseconds since 1970 when the next one is due.
    public init(
        _ record: BackupRecord?, nextAt: Int64? = nil, failure: StatusDocument.LastError? = nil
    ) {
        self.init(
            lastAt: record.map { Timestamp.text(milliseconds: $0.at) }, verified: record != nil,
            path: record?.path, bytes: record?.bytes, nextAt: nextAt.map { Timestamp.text(milliseconds: $0) },
            failure: failure)
    }
}
