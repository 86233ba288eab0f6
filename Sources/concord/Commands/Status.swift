// `concord status` and `concord wait`. Where the daemon is down, the status is read from the files of the
// home, and says so.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordModel
import ConcordNode
import Foundation

/// Shows the status.
struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show what is in step, with whom not and why, and what needs a person.",
        discussion: "Exit codes: 0 in step, 3 no daemon, 4 degraded, 5 needs a person, 6 integrity failure.")
    @Flag(help: "Redraw every two seconds until interrupted.") var watch = false
    @Flag(help: "Show every peer, addresses and last errors.") var all = false
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if watch, common.json { throw ValidationError("--watch and --json exclude each other") }
    }

    func run() async throws {
        let output = common.output
        while watch {
            let (answer, _) = try await read()
            let view = StatusView(answer.document, style: output.style, showsAll: all).lines()
            // Clears the screen only where there is one.
            output.lines(
                isatty(STDOUT_FILENO) == 1 ? ["\u{1b}[H\u{1b}[2J" + view[0]] + view.dropFirst() : view + [""])
            try await Task.sleep(for: ClientLimits.watchInterval)
        }
        let (answer, exitCode) = try await read()
        output.answer(answer) { StatusView($0, style: output.style, showsAll: all).lines() }
        if exitCode != 0 { throw ExitCode(exitCode) }
    }

    /// The status and the exit code that follows from it: where several hold, 6 before 3 before 5 before 4.
    private func read() async throws -> (Answer<StatusDocument>, Int32) {
        do {
            let answer = try await common.daemon.status()
            return (answer, answer.document.exitCode)
        } catch let error as ConcordError where error.code == .daemonUnreachable {
            guard common.nodeHome.hasIdentity else { throw error }
            let status = try await StoppedNode(home: common.nodeHome, reason: error).status()
            return (try Answer(encoding: status), status.verdict == .integrityFailure ? 6 : 3)
        }
    }
}

/// Waits until the node is in step.
struct Wait: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until this node is in step with others.",
        discussion:
            "Exit codes: 0 in step, 3 no daemon, 4 not in time, 5 needs a person, 6 integrity failure.")
    @Flag(help: "Wait until everything that either side holds is on the other.") var inStep = false
    @Option(name: .customLong("with"), help: ArgumentHelp("Only with this member.", valueName: "code"))
    var member: String?
    @Option(help: ArgumentHelp("How long at most, such as 500ms, 60s or 5m.", valueName: "span"))
    var timeout = TypedSpan("60s")!
    @OptionGroup var common: CommonOptions

    private struct Waited: Encodable {
        var inStep: Bool
        var with: String?
        var milliseconds: Int64
        var members: Int
    }

    /// How long a daemon that is just starting may be out of reach.
    private static let patience = Duration.seconds(3)

    func validate() throws {
        if !inStep { throw ValidationError("Say what to wait for: --in-step") }
    }

    func run() async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let deadline = start + .milliseconds(timeout.milliseconds)
        var lastReached = start
        var last: StatusDocument?
        while true {
            do {
                let status = try await common.daemon.status().document
                lastReached = clock.now
                last = status
                if status.verdict == .integrityFailure { throw broken(status) }
                if StepSummary.isInStep(status, with: member) {
                    return report(status, after: clock.now - start)
                }
            } catch let error as ConcordError where error.code == .daemonUnreachable {
                guard common.nodeHome.hasIdentity, clock.now < min(lastReached + Self.patience, deadline)
                else {
                    throw error
                }
            }
            guard clock.now < deadline else { break }
            try await Task.sleep(for: min(ClientLimits.pollInterval, deadline - clock.now))
        }
        throw giveUp(last)
    }

    private func report(_ status: StatusDocument, after span: Duration) {
        let (seconds, attoseconds) = span.components
        let waited = Waited(
            inStep: true, with: member, milliseconds: seconds * 1000 + attoseconds / 1_000_000_000_000_000,
            members: StepSummary(status).members)
        let whom = member ?? (waited.members == 0 ? "nobody: no other member is known here" : "everybody")
        common.output.result(waited, [TerminalText.escaped("In step with \(whom).")])
    }

    private func broken(_ status: StatusDocument) -> ConcordError {
        let item = status.attention.first { $0.severity == .integrity }
        return ConcordError(
            item.flatMap { ErrorCode(rawValue: $0.code) } ?? .verificationFailed,
            item?.message ?? "the node reports an integrity failure",
            action: item?.action ?? "see `concord status`")
    }

    /// Prints why, and gives the exit code: a refusal needs a person, anything else may still come.
    private func giveUp(_ status: StatusDocument?) -> ExitCode {
        guard let status else {
            common.output.error(ConcordError(.timeout, "the daemon gave no status in time"))
            return ExitCode(3)
        }
        let peers = status.peers.filter { member == nil || $0.member == member }.filter {
            $0.standing != .inStep
        }
        let sentence: String
        if let member, !status.peers.contains(where: { $0.member == member }) {
            sentence = "no member \(member) is known here"
        } else {
            let codes = peers.map { "\($0.member ?? $0.address ?? "?") is \($0.words)" }
            sentence = "not in step in time: " + codes.prefix(8).joined(separator: ", ")
        }
        common.output.error(ConcordError(.timeout, sentence))
        return ExitCode(peers.contains { $0.standing == .refused } ? 5 : 4)
    }
}

extension StatusDocument.Peer {
    /// How it stands, in words.
    fileprivate var words: String {
        switch standing {
        case .behind: "behind: they lack \(Quantity.lack(theyLack)), we lack \(Quantity.lack(weLack))"
        case .indirect: "not met directly"
        case .unknown: "connected, how far is not known yet"
        case .silent where road.kind == "relay":
            "silent (known through \(road.via ?? "others") only, by receipts that come every ten minutes)"
        default: lastError.map { "\(state.rawValue) (\($0.code))" } ?? state.rawValue
        }
    }
}

extension TypedSpan: ArgumentParser.ExpressibleByArgument {
    /// A span as typed; a bare number counts seconds.
    public init?(argument: String) {
        guard let span = TypedSpan(argument) ?? TypedSpan(argument + "s") else { return nil }
        self = span
    }
}
