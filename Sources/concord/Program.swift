// Everything a person does with Concord. This file is the way in and out: arguments, errors, exit codes.
// Standard output carries only what was asked for; errors are one sentence, or one JSON document, on standard
// error.

import ArgumentParser
import ConcordClient
import ConcordCrypto
import ConcordModel
import ConcordNode
import Glibc

@main
struct Program {
    static func main() async {
        let invocation = Invocation(Array(CommandLine.arguments.dropFirst()))
        let command: any ParsableCommand
        do {
            command = try Concord.parseAsRoot(invocation.arguments)
        } catch {
            exit(endParsing(error, invocation))
        }
        do {
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                var command = command
                try command.run()
            }
        } catch let status as ExitCode {
            exit(status.rawValue)
        } catch {
            exit(endRunning(error, invocation))
        }
    }

    /// Help that was asked for, or a usage error.
    private static func endParsing(_ error: any Error, _ invocation: Invocation) -> Int32 {
        if Concord.exitCode(for: error) == .success {
            let text = Concord.fullMessage(for: error)
            if invocation.json {
                Output(json: true).document(["text": text])
            } else {
                Output(json: false).lines([text])
            }
            return 0
        }
        // ArgumentParser's message may have several lines; people and programs are promised one sentence.
        let words = Concord.message(for: error).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let message = words.hasSuffix(".") ? String(words.dropLast()) : words
        let help = (["concord", "help"] + Concord.path(in: invocation.arguments)).joined(separator: " ")
        return fail(ConcordError(.usage, message, action: "see `\(help)`"), invocation)
    }

    private static func endRunning(_ error: any Error, _ invocation: Invocation) -> Int32 {
        switch error {
        case let error as ConcordError where error.code == .daemonUnreachable && !invocation.home.hasIdentity:
            // The more useful thing to say, with the exit code that says that there is no daemon.
            let reason = ConcordError(
                .noIdentity,
                "there is no node in \(invocation.home.path), and no daemon that could be reached")
            _ = fail(reason, invocation)
            return 3
        case let error as ConcordError:
            return fail(error, invocation)
        case let error as CryptoError:
            return fail(ConcordError(.cryptography, error.sentence, action: error.remedy), invocation)
        case is CleanExit, is ValidationError:
            return endParsing(error, invocation)
        default:
            // `concord help …` runs as a command and reports its text as an error of its own.
            guard Concord.exitCode(for: error) == .success else {
                return fail(ConcordError(.internalError, "\(error)"), invocation)
            }
            return endParsing(error, invocation)
        }
    }

    private static func fail(_ error: ConcordError, _ invocation: Invocation) -> Int32 {
        Output(json: invocation.json).error(error)
        switch error.code {
        case .usage: return 2
        case .daemonUnreachable: return 3
        case .verificationFailed, .digestMismatch, .corruptDatabase, .equivocation: return 6
        default: return 1
        }
    }
}

/// The arguments with the two options that stand anywhere, also before the command's name, moved behind it,
/// where ArgumentParser expects them.
struct Invocation {
    let arguments: [String]
    let json: Bool
    let home: NodeHome

    init(_ arguments: [String], environment: [String: String] = Caller.environment) {
        var others: [String] = []
        var json = false
        var home: String?
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                rest = [argument] + rest
                break
            }
            if argument == "--json" {
                json = true
            } else if argument == "--home", let value = rest.first, !value.hasPrefix("-") {
                home = value
                rest.removeFirst()
            } else if argument.hasPrefix("--home=") {
                home = String(argument.dropFirst("--home=".count))
            } else {
                others.append(argument)
            }
        }
        if !others.isEmpty, !Concord.isFamily(others) {
            if let home { others += ["--home", home] }
            if json { others.append("--json") }
        }
        self.arguments = others + rest
        self.json = json
        self.home = NodeHome.resolve(option: home, environment: environment)
    }
}
