// Volumes of bundles, as somebody brings them on a stick. What an honest exporter signs and encrypts hides most of the
// reader from changed bytes, so the first byte says how far the rest is dressed: not at all, as a header that is signed,
// as a content under a true header, or as a content that is encrypted to the reader besides.

import ConcordCrypto
import ConcordModel
import ConcordNode
import ConcordSync
import Foundation

enum BundleFuzz {
    private enum Dress: UInt8, CaseIterable {
        case none, header, content, envelope
    }

    private static let scratch = ScratchFolder(FileManager.default.temporaryDirectory.path, reserveBytes: 0)
    /// The reader's key, for which envelopes are made.
    private static let key = FuzzSeeds.made {
        let key = try PrivateKey.generate()
        let certificate = try CertificateIssuer.node(
            commonName: "reader", publicKey: key.publicKey, purpose: .agreement,
            issuer: FuzzSeeds.identity.authority, issuerKey: FuzzSeeds.identity.authorityKey,
            notBefore: 1_474_329_600, notAfter: 4_102_444_800)
        return BundleVolume.Key(key: key, certificate: certificate)
    }

    static func run(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        let rest = Array(bytes.dropFirst())
        switch Dress.allCases[Int(first) % Dress.allCases.count] {
        case .none: read(rest)
        case .header: read(volume(header: signed(rest), content: []))
        case .content: read(volume(of: rest))
        case .envelope: read(encrypted(volume(of: rest)))
        }
    }

    static var seeds: [[UInt8]] {
        let content = content
        return [
            [Dress.none.rawValue] + volume(of: content),
            [Dress.none.rawValue] + encrypted(volume(of: content)),
            [Dress.header.rawValue] + header(of: content),
            [Dress.content.rawValue] + content,
            [Dress.envelope.rawValue] + content,
        ]
    }

    /// Opens a volume and reads all of it; what was found genuine says the same when it is written again.
    private static func read(_ bytes: [UInt8]) {
        guard let file = try? ScratchFile(in: scratch), (try? file.append(bytes)) != nil else {
            preconditionFailure("a temporary file cannot be written")
        }
        guard let volume = try? BundleVolume(file, key: key, folder: scratch) else { return }
        always(
            (try? SignedBundleHeader(encoded: volume.signed.encoded)) == volume.signed,
            "a header has one encoding")
        var frames = volume.frames
        while let content = try? frames.next() {
            guard case .changes(let runs) = content else { continue }
            guard let frame = try? BundleFrames.changes(volume.header.space, runs) else { continue }
            let payload = Array(frame.dropFirst(BundleFrames.lengthBytes))
            guard case .changes(runs)? = try? BundleFrames.read(payload, in: volume.header.space) else {
                preconditionFailure("changes that were read are written in a form that is read as the same")
            }
        }
    }

    // MARK: Dressing

    private static var content: [UInt8] {
        let messages = FuzzSeeds.messages.filter { message in
            if case .changes? = try? Message(encoded: message) { true } else { false }
        }
        let place = BlobPlace(
            space: FuzzSeeds.space, blob: BlobID(SHA256.hash(FuzzSeeds.manifest)), part: .manifest, offset: 0)
        let bytes = BlobBytes(FuzzSeeds.manifest, of: Int64(FuzzSeeds.manifest.count))
        return messages.flatMap(BundleFrames.frame) + BundleFrames.piece(place, bytes)
    }

    private static func header(of content: [UInt8]) -> [UInt8] {
        var counts = BundleCounts()
        counts.changes = 1
        return BundleHeader(
            bundle: Bytes16(high: 1, low: 2), volume: 1, volumes: 1, space: FuzzSeeds.space,
            exporter: FuzzSeeds.identity.member, certificate: FuzzSeeds.identity.node,
            recipients: [
                BundleRecipient(
                    member: FuzzSeeds.identity.member, key: key.certificate.publicKey.fingerprint)
            ],
            created: 1_700_000_000_000, from: VersionVector(),
            to: VersionVector([Dot(FuzzSeeds.replica, 1)]), counts: counts,
            contentBytes: UInt64(content.count), contentHash: SHA256.hash(content)
        ).encoded()
    }

    /// `[header, signature]`, whatever the bytes of the header are.
    private static func signed(_ header: [UInt8]) -> [UInt8] {
        FuzzSeeds.made {
            let signature = try FuzzSeeds.identity.nodeKey.sign(SHA256.hash(header), as: .bundle)
            return SignedBundleHeader.encoded(header, signature)
        }
    }

    private static func volume(header: [UInt8], content: [UInt8]) -> [UInt8] {
        BundleFrames.magic + BundleFrames.frame(header) + content
    }

    private static func volume(of content: [UInt8]) -> [UInt8] {
        volume(header: signed(header(of: content)), content: content)
    }

    private static func encrypted(_ volume: [UInt8]) -> [UInt8] {
        FuzzSeeds.made {
            let encryption = try CMSEncryption(recipients: [key.certificate])
            let begun = try encryption.update(volume)
            let (rest, head, tail) = try encryption.finish()
            return head + begun + rest + tail
        }
    }
}
