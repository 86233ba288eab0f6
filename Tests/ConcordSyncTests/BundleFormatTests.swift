import CBOR
import ConcordCrypto
import ConcordModel
import SyncSupport
import Testing

@testable import ConcordSync

@Suite("The format of bundles")
struct BundleFormatTests {
    private let key: PrivateKey
    private let certificate: Certificate
    private let header: BundleHeader

    init() throws {
        key = try PrivateKey.generate()
        let authorityKey = try PrivateKey.generate()
        let authority = try CertificateIssuer.authority(
            subject: CertificateSubject(memberCode: "ESP", memberName: "Spain", commonName: "authority"),
            key: authorityKey, notBefore: 1_474_329_600, notAfter: 4_102_444_800)
        certificate = try CertificateIssuer.node(
            commonName: "Madrid", publicKey: key.publicKey, purpose: .signing, issuer: authority,
            issuerKey: authorityKey, notBefore: 1_474_329_600, notAfter: 4_102_444_800)
        let member = MemberID(SHA256.hash([1]))
        header = BundleHeader(
            bundle: Bytes16(high: 1, low: 2), volume: 2, volumes: 3, space: testSpace(1), exporter: member,
            certificate: certificate,
            recipients: [
                BundleRecipient(member: member, key: nil),
                BundleRecipient(member: member, key: SHA256.hash([2])),
            ].sorted(), created: 5, from: VersionVector([Dot(testReplica(1), 3)]),
            to: VersionVector([Dot(testReplica(1), 7), Dot(testReplica(2), 70_000)]), counts: BundleCounts(),
            contentBytes: 9, contentHash: SHA256.hash([3]))
    }

    private func signed(_ header: BundleHeader) throws -> SignedBundleHeader {
        try SignedBundleHeader(header) { try key.sign($0, as: .bundle) }
    }

    private func code(_ body: () throws -> Void) -> ErrorCode? {
        do { try body() } catch let error as ConcordError { return error.code } catch { return nil }
        return nil
    }

    @Test("a header is read back as it was written, with its exporter's signature")
    func roundTrip() throws {
        let written = try signed(header)
        let read = try SignedBundleHeader(encoded: written.encoded)
        #expect(read == written && read.encoded == written.encoded)
        #expect(read.header.isFor(header.exporter, key: SHA256.hash([9])))
        #expect(!read.header.isFor(MemberID(SHA256.hash([8])), key: SHA256.hash([2])))
        #expect(read.node == NodeID(certificate: certificate))
    }

    @Test("a header of which a byte is altered or missing is refused")
    func altered() throws {
        let bytes = try signed(header).encoded
        for index in bytes.indices {
            var altered = bytes
            altered[index] ^= 0x10
            let found = code { _ = try SignedBundleHeader(encoded: altered) }
            #expect([.alteredBundle, .newerBundle, .limitExceeded].contains(found), "\(index)")
        }
        for count in bytes.indices {
            #expect(
                code { _ = try SignedBundleHeader(encoded: Array(bytes.prefix(count))) } == .alteredBundle)
        }
    }

    @Test("a header that makes no sense is refused, whoever signed it")
    func senseless() throws {
        func expect(_ code: ErrorCode, _ change: (inout BundleHeader) -> Void) throws {
            var header = header
            change(&header)
            let bytes = try signed(header).encoded
            #expect(self.code { _ = try SignedBundleHeader(encoded: bytes) } == code)
        }
        try expect(.alteredBundle) { $0.volume = 0 }
        try expect(.alteredBundle) { $0.volume = 4 }
        try expect(.alteredBundle) { ($0.volume, $0.volumes) = (5000, 5000) }
        try expect(.alteredBundle) { $0.recipients.reverse() }
        try expect(.alteredBundle) { $0.recipients.append($0.recipients[1]) }
        try expect(.limitExceeded) { $0.contentBytes = 1 << 40 }
        try expect(.alteredBundle) { header in
            header.recipients = (0..<300).map {
                BundleRecipient(member: header.exporter, key: SHA256.hash([UInt8($0 & 255), UInt8($0 >> 8)]))
            }.sorted()
        }
    }

    @Test("a header of a later level is told from a damaged one, whatever else is in it")
    func later() throws {
        var writer = CBORWriter(capacity: 64)
        writer.array(3)
        writer.text("concord bundle")
        writer.unsigned(1)
        writer.text("something new")
        var outer = CBORWriter(capacity: 64)
        outer.array(4)
        outer.byteString(writer.bytes)
        #expect(code { _ = try BundleHeader(encoded: writer.bytes) } == .newerBundle)
    }

    @Test("a frame holds changes, receipts or a piece of a file of the bundle's space, and nothing else")
    func frames() throws {
        let space = testSpace(1)
        func payload(_ frame: [UInt8]) throws -> [UInt8] {
            let count = try BundleFrames.payloadBytes(of: Array(frame.prefix(4)))
            #expect(frame.count == count + 4)
            return Array(frame.dropFirst(4))
        }
        let receipts = (0..<3).map { testReceipt($0, space: space, at: 5) }
        let frames = BundleFrames.receipts(space, receipts)
        #expect(frames.map(\.count) == [3])
        guard case .receipts(let read) = try BundleFrames.read(try payload(frames[0].frame), in: space) else {
            Issue.record("no receipts")
            return
        }
        #expect(read == receipts)
        let place = BlobPlace(space: space, blob: BlobID(SHA256.hash([1])), part: .content, offset: 7)
        let piece = BundleFrames.piece(place, BlobBytes([1, 2], of: 9))
        guard
            case .piece(place, BlobBytes([1, 2], of: 9)) = try BundleFrames.read(
                try payload(piece), in: space)
        else {
            Issue.record("no piece")
            return
        }
        #expect(code { _ = try BundleFrames.read(try payload(piece), in: testSpace(2)) } == .alteredBundle)
        #expect(code { _ = try BundleFrames.read(Message.ping(1).encoded(), in: space) } == .alteredBundle)
        #expect(code { _ = try BundleFrames.read([0x80], in: space) } == .alteredBundle)
        for length: [UInt8] in [[0, 0, 0, 0], [0, 0x10, 0, 1], [255, 255, 255, 255]] {
            #expect(code { _ = try BundleFrames.payloadBytes(of: length) } == .alteredBundle)
        }
    }

    @Test("a receipt that shows a certificate for key agreement goes only to peers that read such")
    func feature() throws {
        var flow = ReceiptFlow()
        let shown = try Receipt(
            space: testSpace(1), member: header.exporter, holds: VersionVector(), timestamp: 5,
            certificate: certificate,
            agreement: certificate
        ) { try key.sign($0, as: .receipt) }
        flow.add([shown])
        #expect(flow.dueAt == nil)
        flow = ReceiptFlow()
        flow.showsAgreements = true
        flow.add([shown])
        #expect(flow.dueAt != nil)
    }
}
