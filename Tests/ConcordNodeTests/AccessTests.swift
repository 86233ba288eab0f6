import ConcordModel
import Foundation
import Glibc
import HTTPTypes
import Testing

@testable import ConcordNode

@Suite("Who may do what over the local socket")
struct AccessTests {
    private let ana = LocalCaller(uid: 1001, name: "ana", groups: [1001, 200])
    private let daemon: uid_t = 900
    private let socketGroup: gid_t = 900

    private func role(_ policy: AccessPolicy, _ caller: LocalCaller) -> LocalRole? {
        policy.role(of: caller, daemon: daemon, socketGroup: socketGroup)
    }

    private func entries(_ texts: String...) throws -> [AccessPolicy.Entry] {
        try texts.map { try #require(AccessPolicy.Entry($0)) }
    }

    @Test(
        "by default the daemon's user and root administer, the socket's group edits, and nobody else does anything"
    )
    func byDefault() {
        let policy = AccessPolicy()
        #expect(role(policy, LocalCaller(uid: 0, name: "root", groups: [0])) == .administrator)
        #expect(role(policy, LocalCaller(uid: daemon, name: nil, groups: [])) == .administrator)
        #expect(role(policy, LocalCaller(uid: 1002, name: "ben", groups: [1002, socketGroup])) == .editor)
        #expect(role(policy, ana) == nil)
    }

    @Test("with lists only those listed count, by name, number or group, and the highest role wins")
    func lists() throws {
        var policy = AccessPolicy(readers: try entries("ana"))
        #expect(role(policy, ana) == .reader)
        #expect(role(policy, LocalCaller(uid: 1002, name: "ben", groups: [socketGroup])) == nil)
        #expect(role(policy, LocalCaller(uid: daemon, name: nil, groups: [])) == .administrator)
        policy.editors = try entries("@200")
        #expect(role(policy, ana) == .editor)
        policy.administrators = try entries("someone", "1001")
        #expect(role(policy, ana) == .administrator)
        // A group's name is not a user's.
        #expect(role(AccessPolicy(readers: try entries("@ana")), ana) == nil)
        #expect(
            role(AccessPolicy(readers: try entries("@root")), LocalCaller(uid: 7, name: "x", groups: [0]))
                == .reader)
    }

    @Test("the kernel's group counts beside those of the account")
    func callers() {
        let root = LocalCaller(uid: 0, gid: 12_345)
        #expect(root.name == "root" && root.groups.isSuperset(of: [0, 12_345]))
        let nobody = LocalCaller(uid: 4_000_000_000, gid: 7)
        #expect(nobody.name == nil && nobody.groups == [7] && nobody.label == "uid 4000000000")
        #expect(UserAccount.named("root")?.groups().contains(0) == true)
        #expect(UserGroup.number(named: "root") == 0)
        #expect(UserGroup.number(named: "no-such-group-here") == nil)
    }

    @Test(
        "entries that can be no user or group are refused",
        arguments: ["", "@", "a b", "a@b", "@@a", "a,b", "a\n"])
    func malformed(text: String) async {
        #expect(AccessPolicy.Entry(text) == nil)
    }

    @Test("entries that name nobody are found")
    func unknown() throws {
        let policy = AccessPolicy(
            readers: try entries("root", "no-such-user-here", "4000000000"),
            editors: try entries("@root", "@no-such-group-here"))
        #expect(policy.unknownEntries.map(\.description) == ["@no-such-group-here", "no-such-user-here"])
    }

    @Test(
        "every request takes its role",
        arguments: [
            ("GET", "/v1/status", LocalRole.reader), ("GET", "/v1/records/1a2b", .reader),
            ("HEAD", "/v1/status", .reader), ("GET", "/v1/log?since=1", .reader),
            ("GET", "/v1/peers", .reader),
            ("POST", "/v1/records", .editor), ("PATCH", "/v1/records/1a2b", .editor),
            ("DELETE", "/v1/records/1a2b", .editor), ("POST", "/v1/records/1a2b/resolve", .editor),
            ("POST", "/v1/records/1a2b/share", .editor), ("POST", "/v1/records/1a2b/erase", .administrator),
            ("GET", "/v1/records/1a2b/text?at=0", .reader), ("PUT", "/v1/records/1a2b/text", .editor),
            ("GET", "/v1/records/1a2b/history", .reader),
            ("POST", "/v1/import", .editor), ("POST", "/v1/verify", .editor),
            ("POST", "/v1/bundles", .editor), ("GET", "/v1/bundles/1a/volumes/1", .editor),
            ("DELETE", "/v1/bundles/1a", .editor), ("POST", "/v1/bundles/import", .editor),
            ("POST", "/v1/bundles/inspect", .reader),
            ("POST", "/v1/peers", .administrator), ("DELETE", "/v1/peers", .administrator),
            ("POST", "/v1/peers/pause", .administrator), ("POST", "/v1/spaces", .administrator),
            ("POST", "/v1/spaces/join", .administrator), ("POST", "/v1/spaces/1a/acts", .administrator),
            ("POST", "/v1/spaces/1a/invite", .administrator), ("POST", "/v1/backup", .administrator),
            ("GET", "/v1/node/request", .administrator), ("POST", "/v1/node/certificate", .administrator),
            ("POST", "/v1/not-yet-invented", .administrator), ("PUT", "/", .administrator),
            ("POST", "//v1//peers", .administrator), ("POST", "/v1/%72ecords", .administrator),
        ])
    func neededRoles(method: String, path: String, role: LocalRole) throws {
        let method = try #require(HTTPRequest.Method(method))
        let path = String(path.prefix { $0 != "?" })
        #expect(NeededRole.of(method, path: path) == role)
    }

    @Test("roles are ordered")
    func order() { #expect(LocalRole.allCases.sorted() == [.reader, .editor, .administrator]) }
}
