// Files with editing histories: JSON, plain or compressed by gzip.

import Foundation

/// Reads files of editing histories.
enum TraceFile {
    /// What the JSON of a file holds.
    ///
    /// - Throws: ``BenchError`` with what is wrong and where.
    static func read<Content: Decodable>(_ path: String, as type: Content.Type) throws -> Content {
        let bytes = path.hasSuffix(".gz") ? try unpacked(path) : try plain(path)
        do {
            return try JSONDecoder().decode(Content.self, from: bytes)
        } catch let error as DecodingError {
            throw BenchError("\(path) is not a history of the form that is expected: \(sentence(error))")
        }
    }

    /// The file's name without its endings.
    static func name(_ path: String) -> String {
        let name = URL(fileURLWithPath: path).lastPathComponent
        return String(name.prefix { $0 != "." })
    }

    private static func plain(_ path: String) throws -> Data {
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw BenchError("\(path) cannot be read")
        }
    }

    private static func unpacked(_ path: String) throws -> Data {
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw BenchError("\(path) cannot be read")
        }
        let (bytes, status) = try Subprocess.run("/usr/bin/env", ["gzip", "-dc", "--", path])
        guard status == 0 else { throw BenchError("\(path) cannot be unpacked by gzip") }
        return bytes
    }

    private static func sentence(_ error: DecodingError) -> String {
        let context: DecodingError.Context
        switch error {
        case .dataCorrupted(let found), .keyNotFound(_, let found), .typeMismatch(_, let found),
            .valueNotFound(_, let found):
            context = found
        @unknown default: return "\(error)"
        }
        let place = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
        return (place.isEmpty ? "" : "at \(place.joined(separator: ".")): ") + context.debugDescription
    }
}

/// Runs other programs.
enum Subprocess {
    /// What a program writes to its standard output, and its exit status.
    static func run(_ program: String, _ arguments: [String]) throws -> (output: Data, status: Int32) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = pipe
        do {
            try process.run()
        } catch {
            throw BenchError("\(program) cannot be run")
        }
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (output, process.terminationStatus)
    }
}
