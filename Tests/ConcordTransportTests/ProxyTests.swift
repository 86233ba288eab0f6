import ConcordCrypto
import TestProxy
import Testing

@testable import ConcordTransport

@Suite("An HTTP proxy on the way out", .timeLimit(.minutes(5)))
struct ProxyTests {
    /// Dials the listener of a pair through a proxy.
    private func dial(
        _ pair: TestPair, _ proxy: HTTPProxy, host: String = "127.0.0.1", port: Int? = nil,
        timeout: Duration = .seconds(10)
    ) async throws -> FrameConnection {
        try await Dialler.dial(
            host: host, port: port ?? pair.server.listener.port,
            context: pair.france.context(trusting: [pair.spain]), proxy: proxy, timeout: timeout,
            logger: quiet)
    }

    private func at(_ proxy: TestProxy, user: String? = nil, password: String = "") -> HTTPProxy {
        HTTPProxy(host: "127.0.0.1", port: proxy.port, user: user, password: password)
    }

    @Test("frames pass in both directions, and TLS is with the peer", arguments: [false, true])
    func passes(isSlow: Bool) async throws {
        let pair = try await TestPair()
        let proxy = try await TestProxy.open(isSlow ? .slow : .grant())
        let near = try await dial(pair, at(proxy))
        let far = try await pair.server.accepted.next()
        #expect(near.peer.node == pair.spain.certificate)
        #expect(near.remoteAddress == "127.0.0.1:\(pair.server.listener.port)")
        let large = [UInt8](repeating: 7, count: 300_000)
        try await near.send(large)
        #expect(try await nextFrame(far) == large)
        try await far.send([1, 2, 3])
        #expect(try await nextFrame(near) == [1, 2, 3])
        await near.close()
        #expect(try await nextFrame(far) == nil)
        let port = pair.server.listener.port
        #expect(
            proxy.requests == [
                "CONNECT 127.0.0.1:\(port) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n"
            ])
    }

    @Test("the user is named to a proxy that asks, in UTF-8, and shown nowhere")
    func authentication() async throws {
        let pair = try await TestPair()
        let proxy = try await TestProxy.open(.grant(user: "añá:pä:ss"))
        let known = at(proxy, user: "añá", password: "pä:ss")
        let near = try await dial(pair, known)
        _ = try await pair.server.accepted.next()
        await near.close()
        for stranger in [at(proxy), at(proxy, user: "añá", password: "other")] {
            #expect(try await reason { _ = try await dial(pair, stranger) } == .proxyAuthentication)
        }
        var dumped = ""
        dump(known, to: &dumped)
        for text in ["\(known)", String(reflecting: known), "\([known])", dumped] {
            #expect(!text.contains("pä") && !text.contains("añá"), "\(text)")
        }
    }

    @Test(
        "a proxy that refuses is believed",
        arguments: [
            ("HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!", 403),
            ("HTTP/1.0 502 Bad Gateway\r\n\r\n", 502), ("HTTP/1.1 301 \r\n\r\n", 301),
            ("HTTP/1.1 504\n\n", 504),
        ])
    func refuses(answer: String, status: Int) async throws {
        let pair = try await TestPair()
        let proxy = try await TestProxy.open(.answer(answer))
        #expect(try await reason { _ = try await dial(pair, at(proxy)) } == .proxyRefused(status))
    }

    @Test("a peer that the proxy does not reach is told as what the proxy answers")
    func unreachablePeer() async throws {
        let pair = try await TestPair()
        let proxy = try await TestProxy.open(.grant())
        await pair.server.listener.close()
        #expect(try await reason { _ = try await dial(pair, at(proxy)) } == .proxyRefused(502))
    }

    @Test(
        "what is no answer of a proxy is recognized",
        arguments: [
            "220 mail.example ESMTP\r\n", "\u{16}\u{3}\u{3}", "HTTP/2 200\r\n\r\n", "HTTP/1.1 2xx\r\n\r\n",
            "HTTP/1.1 20\r\n\r\n", "HTTP/1.1\r\n\r\n",
            "HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 4000) + "\r\n",
            "HTTP/1.1 200 " + String(repeating: "x", count: 20_000),
            String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 2000) + "x",
        ])
    func garbage(answer: String) async throws {
        let pair = try await TestPair()
        let proxy = try await TestProxy.open(.answer(answer))
        #expect(try await reason { _ = try await dial(pair, at(proxy)) } == .proxyUnusable)
    }

    @Test("a proxy that is silent, breaks off or is not there costs no more than the time of an attempt")
    func silence() async throws {
        let pair = try await TestPair()
        let silent = try await TestProxy.open(.silent)
        let start = ContinuousClock.now
        #expect(
            try await reason { _ = try await dial(pair, at(silent), timeout: .milliseconds(300)) }
                == .proxyUnusable)
        #expect(ContinuousClock.now - start < .seconds(30))
        let partial = try await TestProxy.open(.answer("HTTP/1.1 200 OK\r\n", closes: true))
        #expect(try await reason { _ = try await dial(pair, at(partial)) } == .proxyUnusable)
        let nobody = HTTPProxy(host: "127.0.0.1", port: 1)
        #expect(try await reason { _ = try await dial(pair, nobody) } == .proxyUnusable)
    }

    @Test("what follows the answer at once belongs to the connection, where it is not TLS")
    func trailing() async throws {
        let pair = try await TestPair()
        let proxy = try await TestProxy.open(.answer("HTTP/1.1 200 OK\r\n\r\nhello, this is no TLS"))
        #expect(try await reason { _ = try await dial(pair, at(proxy)) } == .notTLS)
    }

    @Test("an attempt can be cancelled while the proxy thinks")
    func cancelled() async throws {
        let pair = try await TestPair()
        let silent = try await TestProxy.open(.silent)
        let attempt = Task { try await dial(pair, at(silent)) }
        try await eventually { !silent.requests.isEmpty }
        attempt.cancel()
        await #expect(throws: CancellationError.self) { _ = try await attempt.value }
    }

    @Test("an IPv6 address stands in brackets")
    func addresses() {
        let proxy = HTTPProxy(host: "::1", port: 3128, user: "u", password: "p")
        #expect(proxy.description == "[::1]:3128")
        #expect(
            proxy.request(host: "2001:db8::1", port: 7443)
                == "CONNECT [2001:db8::1]:7443 HTTP/1.1\r\nHost: [2001:db8::1]:7443\r\n"
                + "Proxy-Authorization: Basic dTpw\r\n\r\n")
    }
}
