// A member with its authority and node for the tests, and the system's own `openssl` program as an
// independent judge.

import ConcordCrypto
import Foundation

/// An authority and what it issues.
struct TestMember {
    let key: PrivateKey
    let authority: Certificate

    static let start: Int64 = 1_700_000_000
    static let end: Int64 = 4_000_000_000

    init(code: String = "ESP", name: String = "España – 外務省") throws {
        key = try PrivateKey.generate()
        authority = try CertificateIssuer.authority(
            subject: CertificateSubject(memberCode: code, memberName: name, commonName: "\(code) authority"),
            key: key,
            notBefore: Self.start, notAfter: Self.end)
    }

    func node(
        _ name: String = "headquarters", key nodeKey: PrivateKey,
        purpose: CertificateIssuer.NodePurpose = .signing,
        notBefore: Int64 = start, notAfter: Int64 = end
    ) throws -> Certificate {
        try CertificateIssuer.node(
            commonName: name, publicKey: nodeKey.publicKey, purpose: purpose, issuer: authority,
            issuerKey: key,
            notBefore: notBefore, notAfter: notAfter)
    }
}

/// A folder that is removed when the test ends.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("concord-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func write(_ text: String, _ name: String) throws -> String {
        let file = url.appendingPathComponent(name)
        try text.write(to: file, atomically: true, encoding: .utf8)
        return file.path
    }
}

/// Runs `openssl` with arguments; its output and errors together.
func openssl(_ arguments: String...) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
}

/// The code of the ``CryptoError`` that `body` throws, or nil if it throws none.
func code(_ body: () throws -> Void) -> CryptoError.Code? {
    do { try body() } catch let error as CryptoError { return error.code } catch { return nil }
    return nil
}

/// The bytes of hexadecimal digits.
func hex(_ digits: String) -> [UInt8] {
    stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(digits.dropFirst($0).prefix(2), radix: 16) }
}

/// Writes a file.
func write(_ bytes: UnsafeRawBufferPointer, to path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
}
