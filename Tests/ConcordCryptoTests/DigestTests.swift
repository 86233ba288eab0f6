import ConcordCrypto
import Testing

@Suite("SHA-256 and digests")
struct DigestTests {
    @Test(
        "SHA-256 gives the published values",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func publishedValues(input: String, expected: String) {
        #expect(SHA256.hash(Array(input.utf8)).description == expected)
    }

    @Test("a million letters in uneven pieces give the published value")
    func pieces() {
        let bytes = [UInt8](repeating: 0x61, count: 1_000_000)
        var hash = SHA256()
        for start in stride(from: 0, to: bytes.count, by: 7777) {
            hash.update(Array(bytes[start..<min(start + 7777, bytes.count)]))
        }
        let digest = hash.finalize()
        #expect(digest.description == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        #expect(SHA256.hash(bytes) == digest)
    }

    @Test("a hash can be used again after it is finished")
    func reuse() {
        var hash = SHA256()
        hash.update([1, 2, 3])
        let first = hash.finalize()
        #expect(hash.finalize() == SHA256.hash([]))
        hash.update([1, 2, 3])
        #expect(hash.finalize() == first)
    }

    @Test("parts hash like their concatenation")
    func parts() {
        #expect(SHA256.hash([1, 2], [], [3]) == SHA256.hash([1, 2, 3]))
    }

    @Test("hashes made on many threads at once are right")
    func threads() async {
        let expected = (0..<64).map { SHA256.hash([UInt8($0)]) }
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask { (0..<2000).allSatisfy { SHA256.hash([UInt8($0 % 64)]) == expected[$0 % 64] } }
            }
            for await isRight in group { #expect(isRight) }
        }
    }

    @Test("a digest keeps its bytes, and digests compare as bytes")
    func bytesAndOrder() throws {
        let samples = (0..<200).map { SHA256.hash([UInt8($0)]) }
        for a in samples {
            #expect(try #require(Digest(bytes: a.bytes)) == a)
            #expect(try #require(Digest(hex: a.description.uppercased())) == a)
            for b in samples.prefix(20) {
                #expect((a < b) == a.bytes.lexicographicallyPrecedes(b.bytes))
            }
        }
    }

    @Test("a digest has exactly 32 bytes", arguments: [0, 31, 33, 64])
    func length(count: Int) {
        #expect(Digest(bytes: [UInt8](repeating: 1, count: count)) == nil)
        #expect(Digest(hex: String(repeating: "00", count: count)) == nil)
    }

    @Test("what is not hexadecimal is no digest")
    func notHexadecimal() {
        #expect(Digest(hex: String(repeating: "0g", count: 32)) == nil)
        #expect(Digest(hex: String(repeating: "0", count: 63)) == nil)
        #expect(Digest(hex: "é" + String(repeating: "0", count: 62)) == nil)
    }
}
