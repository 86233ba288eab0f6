// What a process takes, as the kernel says.

import Foundation
import Glibc

/// Memory and time of a process.
struct ProcessUsage: Encodable {
    /// What of it is in memory, in bytes.
    let residentBytes: Int
    /// The most that ever was.
    let peakBytes: Int
    /// What of it is no file's: heap and stacks.
    let anonymousBytes: Int
    /// Processor time since its start.
    let processorMilliseconds: Double

    /// What the process takes now.
    ///
    /// - Throws: ``BenchError`` if it is gone.
    init(of identifier: pid_t) throws {
        let status = try Self.read("/proc/\(identifier)/status")
        func bytes(_ name: String) throws -> Int {
            let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            guard let line, let kibibytes = Int(line.filter(\.isNumber)) else {
                throw BenchError("/proc/\(identifier)/status has no \(name)")
            }
            return kibibytes * 1024
        }
        residentBytes = try bytes("VmRSS")
        peakBytes = try bytes("VmHWM")
        anonymousBytes = try bytes("RssAnon")
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(identifier, &clock) == 0, clock_gettime(clock, &time) == 0 else {
            throw BenchError("process \(identifier) has no clock")
        }
        processorMilliseconds = Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
    }

    private static func read(_ path: String) throws -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw BenchError("\(path) cannot be read")
        }
    }
}
