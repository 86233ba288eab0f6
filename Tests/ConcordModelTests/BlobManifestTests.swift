// Manifests: one form for each file, bounded before anything is allocated.

import CBOR
import ConcordCrypto
import Testing

@testable import ConcordModel

@Suite("The manifest of a file")
struct BlobManifestTests {
    @Test("chunks are as small as their number allows")
    func chunkSizes() {
        let small = 256 << 10
        let expected: [(size: Int64, chunkBytes: Int, count: Int)] = [
            (0, small, 0), (1, small, 1), (Int64(small), small, 1), (4 << 30, small, 16_384),
            ((4 << 30) + 1, 2 * small, 8193), (1 << 40, 64 << 20, 16_384),
        ]
        for one in expected {
            #expect(BlobManifest.chunkBytes(forSize: one.size) == one.chunkBytes)
            #expect(BlobManifest.chunkCount(size: one.size, chunkBytes: one.chunkBytes) == one.count)
        }
    }

    @Test(
        "a manifest is read as it was written, and its length follows from the size",
        arguments: [0, 1, 23, 255, 262_144, 1_835_013, 314_572_800, 4_294_967_296] as [Int64])
    func roundTrip(_ size: Int64) throws {
        let count = BlobManifest.chunkCount(size: size, chunkBytes: BlobManifest.chunkBytes(forSize: size))
        let manifest = try BlobManifest(
            size: size, chunks: (0..<count).map { SHA256.hash([UInt8($0 & 255)]) })
        let bytes = manifest.encoded()
        #expect(bytes.count == BlobManifest.encodedByteCount(forSize: size))
        #expect(bytes.count <= BlobLimits.manifestBytes)
        #expect(try BlobManifest(encoded: bytes) == manifest)
        #expect(BlobManifest.id(ofEncoded: bytes) == manifest.id)
    }

    @Test("the name of a file does not change")
    func vector() throws {
        let manifest = try BlobManifest(size: 3, chunks: [SHA256.hash([1, 2, 3])])
        #expect(
            hexadecimal(manifest.encoded())
                == "83031a000400005820039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81")
    }

    @Test("whatever else is refused with a code")
    func refusals() throws {
        func encoded(_ size: UInt64, _ chunkBytes: UInt64, _ hashes: [UInt8]) -> [UInt8] {
            var writer = CBORWriter()
            writer.array(3)
            writer.unsigned(size)
            writer.unsigned(chunkBytes)
            writer.byteString(hashes)
            return writer.bytes
        }
        let hash = SHA256.hash([]).bytes
        let wrong: [([UInt8], ErrorCode)] = [
            ([], .blobMismatch), ([0x80], .blobMismatch), (encoded(1, 256 << 10, []), .blobMismatch),
            (encoded(1, 512 << 10, hash), .blobMismatch), (encoded(1, 256 << 10, hash + hash), .blobMismatch),
            (encoded(1, 256 << 10, Array(hash.dropLast())), .blobMismatch),
            (encoded(1, 256 << 10, hash) + [0], .blobMismatch),
            (encoded((1 << 40) + 1, 64 << 20, []), .limitExceeded),
            (Array(repeating: 0, count: BlobLimits.manifestBytes + 1), .limitExceeded),
        ]
        for (bytes, code) in wrong {
            #expect { try BlobManifest(encoded: bytes) } throws: { ($0 as? ConcordError)?.code == code }
        }
    }
}
