// Bundles: what goes by courier instead of by wire. The files are written and read by the person who types the command;
// what they hold is made and judged by the daemon.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordModel
import ConcordNode
import Foundation

/// The family of `bundle`.
struct BundleCommands: CommandFamily {
    static let configuration = CommandConfiguration(
        commandName: "bundle",
        abstract: "Exchange by courier: files for a USB stick, in place of a connection.",
        subcommands: [ExportBundle.self, InspectBundle.self, ImportBundle.self])
}

/// `bundle export --for DEU --out FILE`
struct ExportBundle: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write what others lack, as far as known, to a file that only they can read.",
        discussion: """
            What a member's nodes hold, and to which certificates a bundle is encrypted, is known from what they said by \
            connection or bundle. For a node that nobody has met, give the file that `concord node certify` wrote for it, or its \
            agreement.pem, with --to. Where a bundle takes several volumes, .001, .002 and so on is added to the \
            file's name.
            """)
    @Option(
        name: .customLong("for"),
        help: ArgumentHelp(
            "A member that may read it: its code, or “everyone”; several with commas or repeated.",
            valueName: "member"))
    var members: [String] = []
    @Option(
        help: ArgumentHelp("The certificate for key agreement of a node that may read it.", valueName: "file")
    )
    var to: [String] = []
    @Option(help: ArgumentHelp("The file to write.", valueName: "file")) var out: String
    @Flag(help: "Leave it unencrypted. It is signed all the same.") var plain = false
    @Flag(help: "Write everything, and not only what they lack.") var all = false
    @Flag(inversion: .prefixedNo, help: "Take along the files that belong to the changes.") var attachments =
        true
    @Flag(help: "Take along the files of records, too, that they are known to hold.") var allFiles = false
    @Option(
        help: ArgumentHelp("Bytes of a volume at most, such as 64MiB (default: 512MiB).", valueName: "bytes"))
    var volumeSize: TypedBytes?
    @OptionGroup var space: SpaceOption
    @OptionGroup var common: CommonOptions

    private struct Written: Encodable {
        var export: BundleExportDocument
        var files: [String]
    }

    func run() async throws {
        let words = members.flatMap { $0.split(separator: ",").map(String.init) }
        guard !words.isEmpty || !to.isEmpty else {
            throw ConcordError(.usage, "a bundle is for somebody", action: "say for whom with --for or --to")
        }
        guard !LocalFile.exists(out) else {
            throw ConcordError(.fileExists, "\(out) exists already and is not overwritten")
        }
        let bundle = try await common.daemon.exportBundle(
            BundleRequest(
                space: space.name, recipients: words, certificates: try to.map { try LocalFile.readText($0) },
                plain: plain, everything: all, attachments: attachments, earlierFiles: allFiles,
                volumeBytes: volumeSize?.count)
        ).document
        let files = bundle.volumes.map {
            bundle.volumes.count == 1 ? out : "\(out).\(Self.suffix($0.volume))"
        }
        do {
            if let taken = files.first(where: LocalFile.exists) {
                throw ConcordError(.fileExists, "\(taken) exists already and is not overwritten")
            }
            try await write(bundle, to: files)
        } catch {
            _ = try? await common.daemon.discardBundle(bundle.bundle)
            throw error
        }
        _ = try await common.daemon.discardBundle(bundle.bundle)
        common.output.result(
            Written(export: bundle, files: files),
            BundleView.lines(bundle, files: files, style: common.output.style))
    }

    private static func suffix(_ volume: Int64) -> String {
        let digits = String(volume)
        return String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }

    /// Writes all volumes, or none: what one run leaves behind must not be taken for a bundle.
    private func write(_ bundle: BundleExportDocument, to files: [String]) async throws {
        let written = WrittenFiles()
        let interruption = Interruption { written.remove() }
        defer { interruption.end() }
        do {
            for (volume, path) in zip(bundle.volumes, files) {
                let target = try VolumeTarget(path, in: written)
                try await common.daemon.volume(volume.volume, of: bundle.bundle) { try target.take($0) }
                try target.finish()
            }
        } catch {
            written.remove()
            throw error
        }
    }
}

/// `bundle inspect FILE`
struct InspectBundle: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Say what a file is: from whom, for whom, how much. Nothing is taken in.",
        discussion: "Works where the daemon does not run, too, for whoever may read the node's keys.")
    @Argument(help: "The file; - is standard input.") var file: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let output = common.output
        let source = try FileSource(file)
        let answer: Answer<BundleDocument>
        do {
            answer = try await common.daemon.inspectBundle(size: source.size) { try source.next() }
        } catch let error as ConcordError where error.code == .daemonUnreachable {
            guard common.nodeHome.hasIdentity, file != "-" else { throw error }
            answer = try Answer(encoding: try inspectFile())
        }
        output.answer(answer) { BundleView.lines($0, style: output.style) }
    }

    /// Looks into the file here.
    private func inspectFile() throws -> BundleDocument {
        let home = common.nodeHome
        let folder = ScratchFolder(FileManager.default.temporaryDirectory.path)
        let source = try FileSource(file)
        let scratch = try ScratchFile(in: folder)
        while let piece = try source.next() { try scratch.append(piece) }
        let configuration = try Configuration.load(path: home.configuration, environment: Caller.environment)
        return try BundleInspection.inspect(scratch, home: home, sources: configuration.keys, folder: folder)
    }
}

/// `bundle import FILE…`
struct ImportBundle: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take in bundles, in whatever order, also twice.",
        discussion: """
            A file that is not whole, not as it was signed, or not for this node is refused, and nothing of it is taken; \
            the others are. Of several files each is taken in after those that it builds on.
            """)
    @Argument(help: "The files; - is standard input.") var files: [String]
    @OptionGroup var common: CommonOptions

    private struct Imported: Encodable {
        struct Refused: Encodable {
            var file: String
            var error: ErrorDocument.Body
        }

        var imported: [BundleImportDocument] = []
        var refused: [Refused] = []
    }

    func run() async throws {
        var waiting = files
        var answer = Imported()
        var lines: [String] = []
        var refusals: [(file: String, error: ConcordError)] = []
        while !waiting.isEmpty {
            var tooEarly: [(file: String, error: ConcordError)] = []
            for file in waiting {
                do {
                    let document = try await take(file)
                    answer.imported.append(document)
                    lines.append(BundleView.line(document, file: file))
                } catch let error as ConcordError where error.code == .daemonUnreachable {
                    throw error
                } catch let error as ConcordError where error.code == .incompleteBundle && file != "-" {
                    tooEarly.append((file, error))
                } catch let error as ConcordError {
                    refusals.append((file, error))
                }
            }
            if tooEarly.count == waiting.count {
                refusals += tooEarly
                break
            }
            waiting = tooEarly.map(\.file)
        }
        // Of one file there is nothing to say but why.
        if files.count == 1, let (file, error) = refusals.first { throw Self.about(file, error) }
        for (file, error) in refusals {
            let body = ErrorDocument.Body(
                code: error.code.rawValue, message: error.message,
                action: error.action ?? error.code.entry.action)
            answer.refused.append(.init(file: file, error: body))
            lines += BundleView.refusal(file, body, style: common.output.style)
        }
        common.output.result(answer, lines)
        if !refusals.isEmpty { throw ExitCode.failure }
    }

    private func take(_ file: String) async throws -> BundleImportDocument {
        let source = try FileSource(file)
        return try await common.daemon.importBundle(size: source.size) { try source.next() }.document
    }

    private static func about(_ file: String, _ error: ConcordError) -> ConcordError {
        guard error.code != .daemonUnreachable, error.code != .unreadableFile else { return error }
        return ConcordError(error.code, "\(file): \(error.message)", action: error.action)
    }
}
