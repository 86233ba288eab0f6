// Which files a node fetches without being asked.

import ConcordModel
import ConcordStore

/// The policy of `concord.yaml`.
public struct BlobPolicy: Hashable, Sendable {
    /// When files are fetched.
    public enum Mode: String, CaseIterable, Sendable {
        /// As soon as a record names them, up to ``BlobPolicy/eagerLimit``.
        case eager
        /// When somebody asks for them.
        case onDemand = "on-demand"
    }

    /// When files are fetched.
    public var mode: Mode
    /// Bytes up to which a file is fetched eagerly.
    public var eagerLimit: Int64
    /// Bytes that files leave free on the disk: more than changes do, which are more important.
    public var reservedBytes = 2 * StorageLimits.reserveBytes

    /// A policy; the defaults are those of a node without a configuration.
    public init(mode: Mode = .eager, eagerLimit: Int64 = BlobPolicyLimits.eagerBytes) {
        self.mode = mode
        self.eagerLimit = eagerLimit
    }

    /// Whether a file of this size is fetched as soon as a record names it.
    public func isEager(size: Int64) -> Bool { mode == .eager && size <= eagerLimit }
}

/// Sizes as people write them.
enum ByteCount {
    private static let units: [(name: String, factor: Int64)] = [
        ("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
        ("kB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ]

    /// A number, with or without a unit: `1048576`, `256 MiB`, `20MB`; nil if it is something else.
    static func parse(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = Int64(digits), let factor = units.first(where: { $0.name == unit })?.factor else {
            return nil
        }
        let (product, isTooLarge) = number.multipliedReportingOverflow(by: factor)
        return isTooLarge ? nil : product
    }
}
