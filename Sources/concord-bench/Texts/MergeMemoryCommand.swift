// How much memory a merge takes. That cannot be seen in a process that has read a large JSON file before, so this
// program runs itself once more, with nothing but the encoded history.

import ArgumentParser
import ConcordText
import Foundation

/// Merges one encoded history and prints how much memory that took, in bytes.
struct MergeMemoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge-memory", abstract: "Merges one encoded history in a process of its own.",
        shouldDisplay: false)

    @Argument(help: "The encoded history.")
    var file: String

    func run() throws {
        guard let chunk = FileManager.default.contents(atPath: file) else {
            throw BenchError("\(file) cannot be read")
        }
        let bytes = Array(chunk)
        let before = try Self.status("VmRSS")
        let text = MergedText(replaying: try TextHistory(chunks: [bytes]))
        let peak = try Self.status("VmHWM")
        guard text.text.scalarCount <= text.history.eventCount else {
            throw BenchError("the history is damaged")
        }
        print(max(0, peak - before))
    }

    /// What merging an encoded history takes, in bytes.
    static func measure(_ chunk: [UInt8]) throws -> Int {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(
            "concord-bench-\(UUID()).chunk")
        try Data(chunk).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let (output, status) = try Subprocess.run(program, ["merge-memory", file.path])
        let digits = String(decoding: output, as: UTF8.self).filter(\.isNumber)
        guard status == 0, let bytes = Int(digits) else { throw BenchError("the memory cannot be measured") }
        return bytes
    }

    /// A line of what the system says of this process, in bytes.
    private static func status(_ name: String) throws -> Int {
        let lines = try String(contentsOfFile: "/proc/self/status", encoding: .utf8).split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix(name + ":") }),
            let kibibytes = Int(line.filter(\.isNumber))
        else { throw BenchError("/proc/self/status has no \(name)") }
        return kibibytes * 1024
    }
}
