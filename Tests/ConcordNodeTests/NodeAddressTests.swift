import ConcordModel
import Testing

@testable import ConcordNode

@Suite("Addresses")
struct NodeAddressTests {
    @Test(
        "an address is read and written in one form",
        arguments: ["127.0.0.1:7443", "concord.example.org:443", "[::1]:7443", "[fe80::1%eth0]:65535"])
    func roundTrip(text: String) throws {
        #expect(try NodeAddress(parsing: text).description == text)
    }

    @Test("brackets are not a part of the host")
    func brackets() throws {
        let address = try NodeAddress(parsing: "[2001:db8::7]:7443")
        #expect(address.host == "2001:db8::7")
        #expect(address.port == 7443)
    }

    @Test(
        "what is not host:port is refused with E-6009",
        arguments: [
            "", "madrid", "madrid:", ":7443", "madrid:0", "madrid:65536", "madrid:-1", "madrid:+1",
            "madrid:7443x",
            "::1:7443", "[::1:7443", "[madrid]:7443", "[]:7443", "mad rid:7443", "madrid/x:1",
            "ma\u{202E}drid:1",
        ])
    func refused(text: String) {
        #expect(throws: ConcordError.self) { try NodeAddress(parsing: text) }
        do { _ = try NodeAddress(parsing: text) } catch let error as ConcordError {
            #expect(error.code == .badAddress)
        } catch { Issue.record(error) }
    }

    @Test("port 0 is taken only for listening")
    func anyPort() throws {
        #expect(try NodeAddress(parsing: "127.0.0.1:0", allowingAnyPort: true).port == 0)
    }
}
