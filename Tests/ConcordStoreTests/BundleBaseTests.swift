import ConcordModel
import ConcordStore
import Testing

@testable import TestSupport

@Suite("What a bundle leaves out and takes along")
struct BundleBaseTests {
    @Test("what all recipients said to hold is left out, as far as it is held here, too")
    func common() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        _ = try await a.contact("Ana")
        _ = try await b.contact("Berta")
        try await exchange(a, b)
        let early = try a.store.held(a.space).vector
        _ = try await a.contact("Carla")
        let late = try a.store.held(a.space).vector
        #expect(try a.store.common([], in: a.space).isEmpty)
        #expect(try a.store.common([late, early], in: a.space) == early)
        #expect(try a.store.common([late, VersionVector()], in: a.space).isEmpty)
        // Whoever claims more than there is here gets no less for it.
        var more = late
        for element in late.elements { more[element.replica] = element.sequence + 100 }
        #expect(try a.store.common([more], in: a.space) == late)
    }

    @Test("of a replica that signed two changes of one number nothing is taken for known")
    func forked() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        _ = try await a.contact("Ana")
        let folder = try Folder()
        try a.store.copyForTests(from: a.path, to: folder.path + "/copy.db")
        let twin = Site(a, store: try ReplicaStore(path: folder.path + "/copy.db"), folder: folder)
        _ = try await a.meeting("Left")
        _ = try await twin.meeting("Right", at: 2_000)
        _ = try await b.contact("Berta")
        try await a.send(to: b)
        try await twin.send(to: b)
        let held = try b.store.held(b.space).vector
        let own = try #require(try b.store.ownHead(b.space))
        #expect(held.elements.count > 2)
        #expect(try b.store.common([held], in: b.space).elements.map(\.replica) == [own.replica])
    }

    @Test("files go along with changes that say something new of them")
    func files() async throws {
        let world = try World("ESP", "DEU")
        let a = try await world.site(0)
        let made = try await a.write(.create(kind: "document", fields: [.set("title", .text("Report"))]))
        let before = try a.store.held(a.space).vector
        let blob = String(repeating: "ab", count: 32)
        let attached = try await a.write(
            .create(
                kind: "attachment", parent: .existing(made.created[0]),
                fields: [
                    .set("name", .text("a")), .set("size", .integer(7)), .set("blob", .text(UTF8Text(blob))),
                ]))
        let file = NamedFile(blob: try #require(BlobID(hex: blob)), size: 7)
        #expect(try a.store.namedFiles(a.space, beyond: before) == [file])
        #expect(try a.store.namedFiles(a.space, beyond: VersionVector()) == [file])
        #expect(try a.store.namedFiles(a.space, beyond: try a.store.held(a.space).vector).isEmpty)
        #expect(try a.store.namedSizes(of: file.blob, in: a.space) == [7])
        try await a.write(.delete(attached.created[0]))
        #expect(try a.store.namedFiles(a.space, beyond: VersionVector()).isEmpty)
        #expect(try a.store.namedSizes(of: file.blob, in: a.space) == [7])
    }
}
