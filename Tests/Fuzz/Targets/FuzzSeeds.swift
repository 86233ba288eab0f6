// Well-formed examples of what is read, made with the keys of the simulator, which are worth nothing elsewhere.

import ConcordCrypto
import ConcordModel
import ConcordSimulator
import ConcordSync

enum FuzzSeeds {
    static let identity = made { try SimulatedIdentity(0) }
    static let other = made { try SimulatedIdentity(1) }
    static let replica = ReplicaID(Bytes16(high: 1, low: 2))

    /// An example, which the program itself makes: that it cannot is a fault of the program.
    static func made<Value>(_ body: () throws -> Value) -> Value {
        do {
            return try body()
        } catch {
            preconditionFailure("an example cannot be made: \(error)")
        }
    }

    static let charter = made {
        try SignedCharter(
            charter: try Charter(
                name: "Fuzzing", timestamp: 1_700_000_000_000,
                founders: [try MemberStatement(authority: identity.authority)], admissionThreshold: 1,
                suspensionThreshold: 2),
            key: identity.authorityKey)
    }

    static var space: SpaceID { charter.charter.space }

    static var change: Change {
        let dot = Dot(replica, 1)
        let record = RecordID(space: space, kind: "contact", dot: dot, index: 0, timestamp: 5)
        return Change(
            timestamp: 5, dependencies: [Dependency(Dot(replica, 7), hash: space.digest)],
            seed: Bytes16(high: 3, low: 4), authorLabel: "ana",
            entries: [
                Entry(
                    record: record,
                    operations: [
                        .create(kind: "contact", parent: nil),
                        .set(field: "name", value: .text("Ana"), replacing: [Dot(replica, 2)]),
                        .add(field: "areas", element: .text("mediation"), replacing: []),
                    ])
            ])
    }

    static var admission: SignedAct {
        made {
            let act = Admission(
                space: space, subject: try MemberStatement(authority: other.authority), role: .member,
                predecessor: nil, timestamp: 6)
            return try SignedAct(act: act.encoded, key: identity.authorityKey)
        }
    }

    static var acts: [[UInt8]] { [admission.act] }

    static var invite: [UInt8] {
        made {
            try Invite(
                charter: charter, authority: identity.authority, node: identity.node,
                addresses: ["127.0.0.1:7443"], acts: [admission],
                authorities: [identity.authority.der, other.authority.der], timestamp: 7,
                key: identity.nodeKey
            ).encoded
        }
    }

    static var manifest: [UInt8] {
        made { try BlobManifest(size: 3, chunks: [SHA256.hash([1, 2, 3])]).encoded() }
    }

    static var certificates: [[UInt8]] {
        made {
            let pem = try identity.node.pem() + identity.authority.pem()
            return [identity.authority.der, identity.node.der, Array(pem.utf8)]
        }
    }

    static var messages: [[UInt8]] {
        let run = ChangeRun(
            replica: replica, firstSequence: 1, previous: Bytes16(high: 0, low: 0),
            changes: [change.encoded()],
            signature: made { try identity.nodeKey.sign(space.digest, as: .change) })
        let messages: [Message] = [
            .hello(
                Hello(
                    vocabularyLevel: 1, incarnation: Bytes16(high: 1, low: 1), clock: 1, nodeName: "node",
                    addresses: ["127.0.0.1:1"], spaces: [SpaceHead(space: space, replica: replica)])),
            .summary(space, Summary(heldHash: space.digest, digest: nil, changeCount: 4)),
            .vector(space, [ChainHead(Dot(replica, 3), mark: Bytes16(high: 1, low: 1))]),
            .changes(space, [run]), .acknowledge(space, VersionVector([Dot(replica, 3)])), .ping(3),
            .error(code: "E-3001", faultClass: .fault, sentence: "no"),
            .announce(space, VersionVector([Dot(replica, 3)])),
        ]
        return messages.map { $0.encoded() }
    }

    static let json: [[UInt8]] = [
        #"{"kind":"contact","key":"a","fields":{"name":"Ana","areas":["x","y"],"number":-7}}"#,
        #"{"a":[1,{"b":null}],"c":true,"d":"é\n"}"#,
    ].map { Array($0.utf8) }

    static let configurations: [[UInt8]] = [
        "listen: [\"0.0.0.0:7443\"]\naddresses: [madrid.example.org:7443]\nblobs: on-demand\n",
        "blobs_eager_limit: 20MB\naccess:\n  readers: [nobody]\n",
    ].map { Array($0.utf8) }
}
