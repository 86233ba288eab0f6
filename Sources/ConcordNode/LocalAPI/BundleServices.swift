// What the local API can do with bundles. Volumes go in and out in pieces and are never whole in memory.

import ConcordAPI
import ConcordModel

/// Bundles, behind the local API. Everything that is thrown to the caller is a ``ConcordError``.
public protocol BundleServices: Sendable {
    /// Makes a bundle, which is then fetched volume by volume.
    func export(_ order: BundleOrder) async throws -> BundleExportDocument
    /// A volume of a bundle that was made.
    ///
    /// - Throws: E-6006 if there is none of this name and number, or not any more.
    func volume(_ number: Int64, of bundle: String) async throws -> BundleContent
    /// Forgets a bundle that was made.
    func discard(_ bundle: String) async throws
    /// A file for a volume that is about to come.
    ///
    /// - Parameter size: bytes, as far as they are known.
    func beginVolume(size: Int64?) async throws -> ScratchFile
    /// What a volume is. Nothing of it is taken.
    func inspect(_ file: ScratchFile) async throws -> BundleDocument
    /// Takes in a volume.
    func importVolume(_ file: ScratchFile) async throws -> BundleImportDocument
}

/// A volume, to be read in pieces.
public struct BundleContent: Sendable {
    /// Bytes.
    public let size: Int64
    /// Reads so many bytes from a place; fewer at the end of a part, none at the end.
    public let read: @Sendable (_ offset: Int64, _ count: Int) throws -> [UInt8]

    /// A volume that `read` reads.
    public init(size: Int64, read: @escaping @Sendable (Int64, Int) throws -> [UInt8]) {
        self.size = size
        self.read = read
    }
}
