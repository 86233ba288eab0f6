// The bundle of Protocol/vectors/bundle.json, which other implementations read as well.

import ConcordCrypto
import ConcordModel
import ConcordSync
import Foundation
import Testing

@testable import ConcordNode

@Suite("The vector of a bundle")
struct BundleVectorTests {
    private struct Vector: Decodable {
        struct Header: Decodable {
            let bundle: String
            let volume: UInt64
            let volumes: UInt64
            let space: String
            let exporter: String
            let node: String
            let recipients: [[String]]
            let created: Int64
            let from: [String: UInt64]
            let to: [String: UInt64]
            let changes: UInt64
            let receipts: UInt64
            let files: UInt64
            let contentBytes: UInt64
            let contentHash: String
        }

        struct Refused: Decodable {
            let why: String
            let of: String
            let cut: Int?
            let at: Int?
            let xor: UInt8?
            let code: String
        }

        let agreementKey: String
        let agreementCertificate: String
        let encrypted: String
        let plain: String
        let header: Header
        let frames: [String]
        let refused: [Refused]
    }

    private let vector: Vector
    private let folder = TemporaryFolder()
    private let key: BundleVolume.Key

    init() throws {
        var root = URL(filePath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        let data = try Data(contentsOf: root.appending(path: "Protocol/vectors/bundle.json"))
        vector = try JSONDecoder().decode(Vector.self, from: data)
        key = .init(
            key: try PrivateKey(pem: vector.agreementKey),
            certificate: try Certificate(pem: vector.agreementCertificate))
    }

    private func bytes(_ digits: String) -> [UInt8] {
        let digits = Array(digits.utf8)
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
    }

    private func open(_ bytes: [UInt8]) throws -> BundleVolume {
        let file = try ScratchFile(in: ScratchFolder(folder.path))
        try file.append(bytes)
        return try BundleVolume(file, key: key, folder: ScratchFolder(folder.path))
    }

    @Test("is opened, with the header and the frames that the vector says", arguments: [true, false])
    func opened(isEncrypted: Bool) throws {
        let volume = try open(bytes(isEncrypted ? vector.encrypted : vector.plain))
        #expect(volume.isEncrypted == isEncrypted)
        let (header, expected) = (volume.header, vector.header)
        #expect(BundleReport.name(header.bundle) == expected.bundle)
        #expect([header.volume, header.volumes] == [expected.volume, expected.volumes])
        #expect(header.space.description == expected.space)
        #expect(header.exporter.description == expected.exporter)
        #expect(volume.signed.node.description == expected.node)
        #expect(
            header.recipients.map { [$0.member.description, $0.key?.description ?? ""] }
                == expected.recipients)
        #expect(header.created == expected.created)
        func plain(_ vector: VersionVector) -> [String: UInt64] {
            Dictionary(uniqueKeysWithValues: vector.elements.map { ($0.replica.description, $0.sequence) })
        }
        #expect(plain(header.from) == expected.from && plain(header.to) == expected.to)
        #expect(header.counts.changes == expected.changes)
        #expect(header.counts.receipts == expected.receipts && header.counts.files == expected.files)
        #expect(header.contentBytes == expected.contentBytes)
        #expect(header.contentHash.description == expected.contentHash)
        var found: [String] = []
        var frames = volume.frames
        while let content = try frames.next() {
            switch content {
            case .changes(let runs):
                found.append("changes \(runs.map { Int($0.changes.count) }.reduce(0, +))")
            case .receipts(let receipts): found.append("receipts \(receipts.count)")
            case .piece(let place, let bytes):
                found.append(
                    "piece \(place.part.rawValue) \(place.offset) \(bytes.bytes.count) of \(bytes.total)")
            }
        }
        #expect(found == vector.frames)
    }

    @Test("is refused with the code that the vector says wherever it is damaged")
    func refused() throws {
        #expect(vector.refused.count > 10)
        for refused in vector.refused {
            var bytes = bytes(refused.of == "plain" ? vector.plain : vector.encrypted)
            if let cut = refused.cut { bytes = Array(bytes.prefix(cut)) }
            if let at = refused.at, let xor = refused.xor { bytes[at] ^= xor }
            do {
                _ = try open(bytes)
                Issue.record("taken: \(refused.why)")
            } catch let error as ConcordError {
                #expect(error.code.rawValue == refused.code, "\(refused.why)")
            }
        }
    }
}
