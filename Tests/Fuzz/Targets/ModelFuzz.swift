// Readers of single documents. What is read and written again must be the same bytes: a signature covers what was read.

import CBOR
import ConcordClient
import ConcordCrypto
import ConcordModel

enum CBORFuzz {
    static func run(_ bytes: [UInt8]) {
        var reader = CBORReader(bytes)
        while !reader.isAtEnd {
            let before = reader.position
            guard (try? reader.skip()) != nil else { return }
            always(reader.position > before, "an item has at least one byte")
        }
        readEach(bytes)
    }

    /// Reads items by their types, as decoders do, and writes them again.
    private static func readEach(_ bytes: [UInt8]) {
        var reader = CBORReader(bytes)
        var writer = CBORWriter()
        do {
            while !reader.isAtEnd {
                switch try reader.nextType() {
                case .unsigned: writer.unsigned(try reader.unsigned())
                case .negative: writer.integer(try reader.integer())
                case .bytes: writer.byteString(try reader.byteString(upTo: 1 << 20))
                case .text: writer.text(try reader.text(upTo: 1 << 20))
                case .array: writer.array(try reader.array(upTo: 1 << 20))
                }
            }
        } catch {
            return
        }
        always(writer.bytes == bytes, "what was read and is written again is the same")
    }
}

enum ChangeFuzz {
    static func run(_ bytes: [UInt8]) {
        guard let stored = try? StoredChange(encoded: bytes) else { return }
        always(stored.change.encoded() == bytes, "a change has one stored form")
        let dot = Dot(FuzzSeeds.replica, 1)
        let context = ChangeContext(
            space: FuzzSeeds.space, dot: dot,
            previous: Change.chainRoot(space: FuzzSeeds.space, replica: dot.replica),
            dependencies: stored.change.dependencies.map { _ in FuzzSeeds.space.digest })
        let hash = stored.hash(in: context)
        always(stored.change.hash(in: context) == hash, "a change has one hash")
        try? stored.change.checkWellFormed(space: FuzzSeeds.space, dot: dot)
    }
}

enum ActFuzz {
    static func run(_ bytes: [UInt8]) {
        if let act = try? Act(encoded: bytes), let encoded = act.encoded {
            always(encoded == bytes, "an act has one encoding")
        }
        if let file = try? ActFile(encoded: bytes) {
            always(file.encoded == bytes, "a file of an act has one encoding")
        }
    }
}

enum DocumentFuzz {
    static func run(_ bytes: [UInt8]) {
        if let charter = try? Charter(encoded: bytes) {
            always(charter.encoded == bytes, "a charter has one encoding")
        }
        if let charter = try? SignedCharter(encoded: bytes) {
            always(charter.encoded == bytes, "a signed charter has one encoding")
        }
        if let invite = try? Invite(encoded: bytes) {
            always(invite.encoded == bytes, "an invite has one encoding")
        }
        if let receipt = try? Receipt(encoded: bytes) {
            always(receipt.encoded == bytes, "a receipt has one encoding")
            try? receipt.verify(authorities: [FuzzSeeds.identity.authority.der], now: receipt.timestamp)
        }
        if let manifest = try? BlobManifest(encoded: bytes) {
            always(manifest.encoded() == bytes, "a manifest has one encoding")
        }
    }
}
