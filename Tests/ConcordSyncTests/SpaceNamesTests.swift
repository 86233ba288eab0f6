// The short form of spaces on the wire.

import ConcordCrypto
import ConcordModel
import ConcordSync
import SyncSupport
import Testing

@Suite("Names of spaces on the wire")
struct SpaceNamesTests {
    private static func space(_ bytes: UInt8...) -> SpaceID {
        let all = bytes + [UInt8](repeating: 7, count: 32 - bytes.count)
        return SpaceID(Digest(bytes: all)!)
    }

    private static func frame(_ space: SpaceID) -> [UInt8] {
        Message.acknowledge(space, VersionVector([Dot(testReplica(1), 9)])).encoded()
    }

    @Test("a shared space stands in four bytes, and comes back")
    func short() throws {
        var names = SpaceNames()
        let (one, other) = (Self.space(1), Self.space(2))
        #expect(names.shortened(Self.frame(one)) == Self.frame(one), "nothing is shared yet")
        names.share([one, other])
        for space in [one, other] {
            let frame = Self.frame(space)
            let sent = names.shortened(frame)
            #expect(sent.count == frame.count - 29)
            #expect(names.expanded(sent) == frame)
            #expect(names.expanded(frame) == frame, "the long form is read, too")
        }
    }

    @Test("spaces that begin alike keep their whole names, and unknown ones are left to the reader to refuse")
    func alike() throws {
        var names = SpaceNames()
        let (one, twin) = (Self.space(1, 2, 3, 4, 5), Self.space(1, 2, 3, 4, 6))
        names.share([one])
        let sent = names.shortened(Self.frame(one))
        names.share([twin])
        #expect(names.shortened(Self.frame(one)) == Self.frame(one))
        #expect(names.expanded(sent) == sent)
        #expect(throws: ConcordError.self) { try Message(encoded: names.expanded(sent)) }
    }

    @Test("messages without a space are left as they are, and so is what is no message")
    func others() {
        var names = SpaceNames()
        names.share([Self.space(1)])
        for frame in [Message.ping(5).encoded(), [], [0x82], [0x82, 0x03, 0x44, 1]] as [[UInt8]] {
            #expect(names.shortened(frame) == frame && names.expanded(frame) == frame)
        }
    }
}
