import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import Foundation
import Testing

@testable import ConcordNode

@Suite("Bundles between nodes that never meet")
struct BundleTests {
    private func pair() async throws -> (CourierNode, CourierNode) {
        let (spain, germany) = (try TestMember("ESP"), try TestMember("DEU"))
        let charter = try spain.charter(with: [germany])
        return (try await CourierNode(spain, charter), try await CourierNode(germany, charter))
    }

    @Test("two nodes that only exchange bundles converge, and learn what the other holds")
    func converge() async throws {
        let (madrid, berlin) = try await pair()
        for name in ["Ana", "Berta", "Carla"] { try await madrid.contact(name) }
        var files = try await madrid.export(to: berlin)
        #expect(files.count == 1)
        var taken = try await berlin.take(files[0])
        #expect(taken.applied == 4 && taken.receipts == 1)
        #expect(try await madrid.digest == berlin.digest)
        taken = try await berlin.take(files[0])
        #expect(taken.applied == 0 && taken.receipts == 0)

        // Berlin knows now what Madrid holds, and to which certificate to encrypt.
        try await berlin.contact("Dora")
        files = try await berlin.export(for: "ESP")
        taken = try await madrid.take(files[0])
        #expect(taken.applied == 2)
        #expect(try await madrid.digest == berlin.digest)
        let receipts = try ReceiptKeeper(store: madrid.store).all(of: madrid.space)
        #expect(
            receipts.contains {
                $0.node == berlin.identity.nodeID && $0.holds == (try? madrid.store.held(madrid.space).vector)
            })
        #expect(await madrid.peers.learned.contains { $0.node == berlin.identity.nodeID })

        // Only what is lacking goes along, or everything.
        try await madrid.contact("Eva")
        #expect(try await madrid.desk.export(order(for: "DEU")).volumes.map(\.changes) == [1])
        #expect(
            try await madrid.desk.export(order(for: "DEU") { $0.isEverything = true }).volumes.map(\.changes)
                == [7])
        #expect(try await madrid.desk.export(order(for: "everyone")).volumes.map(\.changes) == [1])
        try await berlin.take(try await madrid.export(for: "everyone")[0])
        #expect(try await madrid.digest == berlin.digest)
        for node in [madrid, berlin] { #expect(try await node.store.verify().problems == []) }
    }

    private func order(for code: String, _ change: (inout BundleOrder) -> Void = { _ in }) -> BundleOrder {
        var order = BundleOrder()
        order.recipients = [code]
        change(&order)
        return order
    }

    @Test("a plain bundle brings the same, and is signed", arguments: [true, false])
    func plain(isPlain: Bool) async throws {
        let (madrid, berlin) = try await pair()
        try await madrid.contact("Ana")
        let file = try await madrid.export(for: isPlain ? "DEU" : "DEU") { order in
            order.isPlain = isPlain
            if !isPlain {
                order.recipients = []
                order.certificates = [(try? berlin.agreement) ?? ""]
            }
        }[0]
        #expect(file.starts(with: BundleFrames.magic) == isPlain)
        let scratch = try await berlin.desk.beginVolume(size: nil)
        try scratch.append(file)
        let document = try await berlin.desk.inspect(scratch)
        #expect(document.encrypted != isPlain && document.exporter.member == "ESP" && document.changes == 2)
        #expect(document.unseen == 2 && document.lacking == 0 && document.obstacle == nil)
        #expect(document.recipients.map(\.member) == ["DEU"])
        #expect(try berlin.store.held(berlin.space).vector.isEmpty)
        #expect(try await berlin.take(file).applied == 2)
    }

    @Test(
        "a bundle that is cut off or altered anywhere is refused, and nothing of it is taken",
        arguments: [true, false])
    func damaged(isPlain: Bool) async throws {
        let (madrid, berlin) = try await pair()
        try await madrid.contact("Ana")
        let file = try await madrid.export(to: berlin) { $0.isPlain = isPlain }[0]
        let before = try await berlin.digest
        for count in stride(from: 0, to: file.count, by: isPlain ? 1 : 3) {
            let code = try await berlin.code(Array(file.prefix(count)))
            if count >= 4 {
                #expect(code == .truncatedBundle, "\(count)")
            } else {
                #expect(code != nil, "\(count)")
            }
        }
        #expect(try await berlin.code(file + [0]) == .alteredBundle)
        let good: Set<ErrorCode> = [
            .alteredBundle, .truncatedBundle, .notABundle, .newerBundle, .bundleForOthers, .limitExceeded,
        ]
        var unnoticed = 0
        for index in stride(from: 0, to: file.count, by: isPlain ? 1 : 2) {
            var altered = file
            altered[index] ^= 0x01
            if let code = try await berlin.code(altered) {
                #expect(good.contains(code), "\(index): \(code)")
            } else {
                // In an envelope a few bytes say nothing that is believed, such as its version.
                unnoticed += 1
                #expect(try await madrid.digest == berlin.digest, "\(index)")
            }
        }
        #expect(unnoticed < (isPlain ? 1 : 16))
        if isPlain { #expect(try await berlin.digest == before) }
        #expect(try await berlin.code(Array("something else entirely".utf8)) == .notABundle)
        #expect(try await berlin.code(file.flatMap { $0 == 13 ? [] : [$0] }) != nil)
        #expect(try await berlin.code(file) == nil)
        #expect(try await madrid.digest == berlin.digest)
    }

    @Test(
        "who is not meant, does not hold the space, or does not know the exporter refuses a bundle precisely")
    func foreign() async throws {
        let (spain, germany, france) = (try TestMember("ESP"), try TestMember("DEU"), try TestMember("FRA"))
        let charter = try spain.charter(with: [germany, france])
        let madrid = try await CourierNode(spain, charter)
        let berlin = try await CourierNode(germany, charter)
        let paris = try await CourierNode(france, charter)
        try await madrid.contact("Ana")
        for isPlain in [true, false] {
            let file = try await madrid.export(to: berlin) { $0.isPlain = isPlain }[0]
            #expect(try await paris.code(file) == .bundleForOthers)
            let elsewhere = try await CourierNode(germany, try germany.charter("Another"))
            if isPlain { #expect(try await elsewhere.code(file) == .bundleForOthers) }
        }
        // Any node of a member may read what is left unencrypted for the member.
        let plain = try await madrid.export(for: "DEU") { $0.isPlain = true }[0]
        let elsewhere = try await CourierNode(germany, try germany.charter("Another"))
        #expect(try await elsewhere.code(plain) == .bundleOfUnknownSpace)
        #expect(try await paris.code(plain) == .bundleForOthers)

        // A stranger's authority, under the same code.
        let stranger = try await CourierNode(try TestMember("ESP"), charter)
        let scratch = try await berlin.desk.beginVolume(size: nil)
        var header = try forged(by: stranger, for: berlin, space: madrid.space)
        try scratch.append(header)
        let error = await expectError(.bundleExporterRefused) { try await berlin.desk.importVolume(scratch) }
        #expect(error?.message.contains("not on the roster") == true)
        header = try forged(by: stranger, as: spain.id, for: berlin, space: madrid.space)
        #expect(try await berlin.code(header) == .bundleExporterRefused)
        #expect(try berlin.store.held(berlin.space).vector.isEmpty)
    }

    /// An empty bundle that somebody signed.
    private func forged(
        by node: CourierNode, as member: MemberID? = nil, for other: CourierNode, space: SpaceID
    ) throws -> [UInt8] {
        let header = BundleHeader(
            bundle: Bytes16(high: 1, low: 1), volume: 1, volumes: 1, space: space,
            exporter: member ?? node.identity.memberID, certificate: node.identity.nodeCertificate,
            recipients: [BundleRecipient(member: other.identity.memberID, key: nil)], created: testNow,
            from: VersionVector(), to: VersionVector(), counts: BundleCounts(), contentBytes: 0,
            contentHash: SHA256.hash([]))
        let signed = try SignedBundleHeader(header) {
            try node.keys.signing.sign($0, as: .bundle)
        }
        return BundleFrames.magic + BundleFrames.frame(signed.encoded)
    }

    @Test("a suspended member, and a node that was revoked, neither get nor give bundles")
    func suspended() async throws {
        let (spain, germany, france) = (try TestMember("ESP"), try TestMember("DEU"), try TestMember("FRA"))
        let charter = try spain.charter(with: [germany, france], suspension: 2)
        let madrid = try await CourierNode(spain, charter)
        let berlin = try await CourierNode(germany, charter)
        let paris = try await CourierNode(france, charter)
        try await berlin.contact("Ana")
        let early = try await berlin.export(to: madrid)[0]
        let suspension = Suspension(
            space: madrid.space, subject: germany.id, keeps: VersionVector(), reason: "unpaid dues",
            timestamp: testNow)
        try await madrid.write([.act(try spain.sign(suspension)), .act(try france.sign(suspension))])
        let error = await expectError(.bundleExporterRefused) { try await madrid.take(early) }
        #expect(error?.message.contains("suspended") == true)
        await expectError(.peerSuspended) { try await madrid.export(for: "DEU") }
        await expectError(.peerSuspended) { try await madrid.export(to: berlin) }
        #expect(try await madrid.export(to: paris).count == 1)
        // Once it has heard of its suspension, it does not even try.
        try await berlin.take(try await paris.export(to: berlin) { $0.isPlain = false }[0])
        let revocation = Revocation(
            space: madrid.space, node: paris.identity.nodeID, keeps: VersionVector(), reason: "stolen",
            timestamp: testNow)
        let late = try await paris.export(to: madrid)[0]
        try await madrid.write([.act(try france.sign(revocation))])
        let revoked = await expectError(.bundleExporterRefused) { try await madrid.take(late) }
        #expect(revoked?.message.contains("revoked") == true)
        // A certificate for key agreement alone may be of the node that was revoked.
        let doubt = await expectError(.recipientUnknown) { try await madrid.export(to: paris) }
        #expect(doubt?.message.contains("revoked") == true)
    }

    @Test("volumes may come in any order, in parts and twice; one that comes too early says what is missing")
    func volumes() async throws {
        let (madrid, berlin) = try await pair()
        // Letters that do not repeat each other within the reach of packing.
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/".utf8)
        let pool = try Randomness.bytes(2_000_000).map { letters[Int($0 & 63)] }
        let drafts = (0..<700).map { index -> Draft in
            let start = index * 27_791 % (pool.count - 15_000)
            let note = String(decoding: pool[start..<start + 15_000], as: UTF8.self)
            return [
                .create(
                    kind: "contact",
                    fields: [
                        .set("name", .text(UTF8Text("Contact \(index)"))),
                        .set("notes", .text(UTF8Text(note))),
                    ])
            ]
        }
        try await madrid.write(drafts)
        let files = try await madrid.export(to: berlin) { $0.volumeBytes = BundleLimits.smallestVolumeBytes }
        #expect(files.count == 3)
        for file in files { #expect(file.count <= BundleLimits.smallestVolumeBytes) }
        let before = try await berlin.digest
        let error = await expectError(.incompleteBundle) { try await berlin.take(files[2]) }
        #expect(error?.message.contains("volume 3 of 3 builds on change") == true)
        #expect(error?.action?.contains("volumes 1 to 2") == true)
        #expect(try await berlin.digest == before)
        let first = try await berlin.take(files[0])
        #expect(first.applied > 0)
        #expect(try await berlin.code(files[2]) == .incompleteBundle)
        #expect(try await berlin.take(files[0]).applied == 0)
        let second = try await berlin.take(files[1])
        // What came too early may have waited.
        _ = try await berlin.take(files[2])
        #expect(second.applied > 0)
        #expect(try berlin.store.held(berlin.space).vector == madrid.store.held(madrid.space).vector)
        #expect(try await madrid.digest == berlin.digest)
    }

    @Test("files go along with the changes that name them, over volumes in any order, and come whole")
    func files() async throws {
        let (madrid, berlin) = try await pair()
        let created = try await madrid.write([
            .create(kind: "document", fields: [.set("title", .text("Report"))])
        ])
        let content = (0..<10_000_000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }
        let blob = try await attach(content, to: created.created[0], on: madrid)
        let files = try await madrid.export(to: berlin) { $0.volumeBytes = BundleLimits.smallestVolumeBytes }
        #expect(files.count == 3)
        // Without the record nothing names the file, and the record is in a volume before.
        #expect(try await berlin.code(files[2]) == .incompleteBundle)
        #expect(!berlin.attachments.blobs.holds(blob))
        #expect(try await berlin.take(files[0]).files == 0)
        #expect(try await berlin.take(files[2]).files == 0)
        #expect(try await berlin.take(files[2]).files == 0)
        #expect(try await berlin.take(files[1]).files == 1)
        let read = try await berlin.attachments.blobs.read(blob, .content, at: 0, count: content.count)
        #expect(read?.bytes == content)
        #expect(try await berlin.attachments.blobs.verify(blob) == true)

        // It does not go along again, unless everything does, and not where it is not wanted.
        #expect(
            try await madrid.desk.export(order(to: berlin) { $0.isEverything = true }).volumes.map(\.files)
                .reduce(0, +) >= 1)
        #expect(
            try await madrid.desk.export(
                order(to: berlin) { ($0.isEverything, $0.hasAttachments) = (true, false) }
            )
            .volumes.map(\.files) == [0])
        try await madrid.take(try await berlin.export(to: madrid)[0])
        #expect(try await madrid.desk.export(order(for: "DEU")).volumes.map(\.files) == [0])
        // An empty file is a file.
        let empty = try await attach([], to: created.created[0], on: madrid)
        try await berlin.take(try await madrid.export(for: "DEU")[0])
        #expect(berlin.attachments.blobs.holds(empty))
    }

    private func order(to other: CourierNode, _ change: (inout BundleOrder) -> Void) throws -> BundleOrder {
        var order = BundleOrder()
        order.certificates = [try other.agreement]
        change(&order)
        return order
    }

    private func attach(_ content: [UInt8], to document: RecordID, on node: CourierNode) async throws
        -> BlobID
    {
        let file = try node.attachments.blobs.beginImport(expectedSize: Int64(content.count))
        try await file.append(content)
        let imported = try await node.attachments.adopt(file)
        try await node.write([
            .create(
                kind: "attachment", parent: .existing(document),
                fields: [
                    .set("name", .text("annex.bin")), .set("size", .integer(imported.size)),
                    .set("blob", .text(UTF8Text(imported.id.description))),
                ])
        ])
        await node.attachments.unpin(imported.id)
        return imported.id
    }

    @Test("what builds on changes that are not here is not taken, and says so; everything helps")
    func lacking() async throws {
        let (madrid, berlin) = try await pair()
        let id = try await madrid.contact("Ana")
        // Berlin once said to hold that, and has lost it since.
        let claim = try Receipt(
            space: madrid.space, member: berlin.identity.memberID,
            holds: try madrid.store.held(madrid.space).vector,
            timestamp: testNow, certificate: berlin.identity.nodeCertificate,
            agreement: berlin.identity.agreementCertificate
        ) { try berlin.keys.signing.sign($0, as: .receipt) }
        #expect(
            try await ReceiptKeeper(store: madrid.store).keep([claim], in: madrid.space, now: testNow).new
                .count == 1)
        try await madrid.write([.update(id, [.set("role", .text("adviser"))])])
        let file = try await madrid.export(for: "DEU")[0]
        let before = try await berlin.digest
        let error = await expectError(.incompleteBundle) { try await berlin.take(file) }
        #expect(error?.message.contains("change 2 of replica") == true)
        #expect(error?.action?.contains("--all") == true)
        #expect(try await berlin.digest == before)
        try await berlin.take(try await madrid.export(for: "DEU") { $0.isEverything = true }[0])
        #expect(try await madrid.digest == berlin.digest)
    }

    @Test("a bundle is made only for whom it can be encrypted to")
    func recipients() async throws {
        let (madrid, berlin) = try await pair()
        try await madrid.contact("Ana")
        await expectError(.recipientUnknown) { try await madrid.export(for: "DEU") }
        await expectError(.recipientUnknown) { try await madrid.export(for: "everyone") }
        await expectError(.recipientUnknown) { try await madrid.export(BundleOrder()) }
        await expectError(.unknownMember) { try await madrid.export(for: "FRA") }
        #expect(try await madrid.export(for: "DEU") { $0.isPlain = true }.count == 1)
        let france = try TestMember("FRA")
        let paris = try await CourierNode(france, try france.charter("Theirs"))
        let stranger = await expectError(.recipientUnknown) { try await madrid.export(to: paris) }
        #expect(stranger?.message.contains("nobody on the roster") == true)
        await expectError(.malformedCertificate) {
            var order = BundleOrder()
            order.certificates = [try berlin.identity.nodeCertificate.pem()]
            return try await madrid.export(order)
        }
        // The file that `node certify` writes for a node holds more than the one certificate.
        var order = BundleOrder()
        order.certificates = [
            try berlin.identity.nodeCertificate.pem() + berlin.agreement
                + berlin.identity.authorityCertificate.pem()
        ]
        #expect(try await berlin.take(try await madrid.export(order)[0]).applied == 2)
        let key = try PrivateKey.generate()
        let expired = try CertificateIssuer.node(
            commonName: "old", publicKey: key.publicKey, purpose: .agreement, issuer: berlin.member.authority,
            issuerKey: berlin.member.authorityKey, notBefore: testNow / 1000 - 2000,
            notAfter: testNow / 1000 - 1000)
        order.certificates = [try expired.pem()]
        let late = await expectError(.recipientUnknown) { try await madrid.export(order) }
        #expect(late?.message.contains("has expired") == true)
        for bytes in [1, BundleLimits.volumeBytes + 1] {
            await expectError(.malformedValue) {
                try await madrid.export(to: berlin) { $0.volumeBytes = bytes }
            }
        }
        await expectError(.malformedRequest) { try await madrid.desk.volume(1, of: "none") }
    }
}
