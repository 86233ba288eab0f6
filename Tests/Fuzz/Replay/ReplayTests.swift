// What the fuzzer once found is tried again, and so is what it begins with, changed at random: enough to see that the
// targets work, with seeds, so that it is the same each time.

import Foundation
import FuzzTargets
import SyncSupport
import Testing

@Suite("Foreign bytes")
struct ReplayTests {
    /// One folder for each target, in it one file for each input that made it trap once.
    private static let found = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Found")

    @Test("what was found once does no harm any more", arguments: FuzzTarget.allCases)
    func found(_ target: FuzzTarget) throws {
        let folder = Self.found.appendingPathComponent(target.rawValue)
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        for file in files.sorted() {
            target.run(Array(try Data(contentsOf: folder.appendingPathComponent(file))))
        }
    }

    @Test("well-formed examples, changed at random, are read or refused", arguments: FuzzTarget.allCases)
    func changed(_ target: FuzzTarget) {
        var random = TestRandom(seed: 123)
        for seed in target.seeds {
            target.run(seed)
            for _ in 0..<200 { target.run(random.change(seed)) }
        }
    }
}

/// Changes bytes at random; the same numbers make the same changes.
extension TestRandom {
    /// The bytes with a few of them replaced, removed or doubled.
    fileprivate mutating func change(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...Int.random(in: 0..<4, using: &self) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &self)
            switch Int.random(in: 0..<4, using: &self) {
            case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &self)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            case 2:
                bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...8, using: &self)))
            default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 8)], at: place)
            }
        }
        return bytes
    }
}
