// Bundles as the local API shows them: with the names that this node knows for members and spaces.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync

/// Makes documents of volumes, over what this node holds.
struct BundleReport: Sendable {
    let judge: BundleJudge

    /// A bundle's name, as people see it.
    static func name(_ bundle: Bytes16) -> String {
        bundle.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// What a volume is.
    func document(_ volume: BundleVolume) throws -> BundleDocument {
        let header = volume.header
        let space = try judge.store.spaces().first { $0.id == header.space }
        let roster = try space.map { try judge.store.roster($0.id) }
        let held = try space.map { try judge.store.held($0.id).vector }
        let subject = volume.signed.header.certificate.subject
        return BundleDocument(
            bundle: Self.name(header.bundle), volume: Int64(clamping: header.volume),
            volumes: Int64(clamping: header.volumes), space: header.space.description, spaceName: space?.name,
            exporter: .init(
                member: subject.memberCode, memberId: header.exporter.description, node: subject.commonName,
                nodeId: volume.signed.node.description),
            recipients: header.recipients.map { recipient in
                BundleRecipientDocument(
                    member: roster?.entry(recipient.member)?.statement.code.string,
                    memberId: recipient.member.description, node: nil, key: recipient.key?.description)
            },
            createdAt: Timestamp.text(milliseconds: header.created), encrypted: volume.isEncrypted,
            bytes: volume.fileBytes, changes: Int64(clamping: header.counts.changes),
            receipts: Int64(clamping: header.counts.receipts), files: Int64(clamping: header.counts.files),
            unseen: held.map { Self.shortfall(Self.union($0, header.from), of: header.to) },
            lacking: held.map { Self.shortfall($0, of: header.from) }, obstacle: obstacle(volume.signed))
    }

    private func obstacle(_ signed: SignedBundleHeader) -> ErrorDocument.Body? {
        do {
            try judge.check(signed)
            return nil
        } catch {
            return Self.body(ConcordError(wrapping: error))
        }
    }

    /// A bundle that was made.
    static func export(
        _ bundle: PreparedBundle, name: String, of space: StoredSpace, isEncrypted: Bool
    ) -> BundleExportDocument {
        BundleExportDocument(
            bundle: name, space: space.id.description, spaceName: space.name, encrypted: isEncrypted,
            recipients: bundle.addressees.map { addressee in
                BundleRecipientDocument(
                    member: addressee.code, memberId: addressee.recipient.member.description,
                    node: addressee.node, key: addressee.recipient.key?.description)
            },
            omitted: bundle.omissions.map { .init(member: $0.code, node: $0.node, reason: body($0.reason)) },
            volumes: bundle.volumes.map { volume in
                .init(
                    volume: Int64(clamping: volume.header.volume), bytes: volume.byteCount,
                    changes: Int64(clamping: volume.header.counts.changes),
                    receipts: Int64(clamping: volume.header.counts.receipts),
                    files: Int64(clamping: volume.header.counts.files))
            }, absentFiles: bundle.absentFiles, earlierFiles: bundle.earlierFiles)
    }

    private static func body(_ error: ConcordError) -> ErrorDocument.Body {
        .init(code: error.code.rawValue, message: error.message, action: error.action)
    }

    private static func union(_ a: VersionVector, _ b: VersionVector) -> VersionVector {
        var union = a
        union.merge(b)
        return union
    }

    /// How many changes of `other` are not covered.
    static func shortfall(_ held: VersionVector, of other: VersionVector) -> Int64 {
        other.elements.reduce(Int64(0)) { total, element in
            let lacking = Int64(clamping: element.sequence - min(element.sequence, held[element.replica]))
            let (sum, isTooLarge) = total.addingReportingOverflow(lacking)
            return isTooLarge ? .max : sum
        }
    }
}

/// Looks into a volume without a daemon.
public enum BundleInspection {
    /// What a volume is, by the files of a home whose daemon does not run. Nothing is written there.
    ///
    /// - Parameter sources: where the node's keys are; the one for key agreement is read.
    /// - Throws: ``ConcordError``: as for an import, or why the home or its key cannot be read.
    public static func inspect(
        _ file: ScratchFile, home: NodeHome, sources: KeySources, folder: ScratchFolder
    ) throws -> BundleDocument {
        let identity = try home.certificates()
        let key = try home.agreementKey(sources)
        let store = try ReplicaStore(path: home.database, options: .init(readOnly: true))
        let volume = try BundleVolume(
            file, key: .init(key: key, certificate: identity.agreementCertificate), folder: folder)
        let judge = BundleJudge(member: identity.memberID, key: key.publicKey.fingerprint, store: store)
        let document = try BundleReport(judge: judge).document(volume)
        try store.close()
        return document
    }
}
