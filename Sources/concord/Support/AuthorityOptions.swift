// Where a member's authority stands and how its key is opened. The key is opened here, in the person's own
// process, and never in the daemon.

import ArgumentParser
import ConcordClient
import ConcordCrypto
import ConcordModel
import ConcordNode
import Glibc

/// `--authority` and `--passphrase-file`.
struct AuthorityOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder of the member's authority (default: ~/.concord/authority/CODE).", valueName: "dir"))
    var authority: String?

    @Option(
        help: ArgumentHelp(
            "A file that holds the passphrase of the authority's key (default: asks on a terminal).",
            valueName: "file"))
    var passphraseFile: String?

    /// The folder, for the member `code`.
    func folder(code: String) -> AuthorityFolder {
        AuthorityFolder(
            path: authority ?? AuthorityFolder.defaultPath(code: code, environment: Caller.environment))
    }

    /// Opens the key in `folder`, which must be that of the member with this id if one is given.
    ///
    /// - Throws: ``ConcordError`` E-2001, E-2002, E-4011 or what the folder's files cause.
    func key(in folder: AuthorityFolder, member: MemberID? = nil) throws -> PrivateKey {
        guard folder.exists else {
            throw ConcordError(
                .unreadableFile, "\(folder.path) holds no authority", action: "give the right --authority DIR"
            )
        }
        if let member, try folder.memberID() != member {
            throw ConcordError(
                .wrongAuthority, "the authority in \(folder.path) is not the one that certified this node")
        }
        if let passphrase = try passphraseFromFile() { return try folder.key(passphrase: passphrase) }
        do {
            return try folder.key(passphrase: nil)
        } catch let error as ConcordError where error.code == .passphraseNeeded {
            guard Terminal.isPresent else { throw error }
            return try folder.key(
                passphrase: try Terminal.passphrase("Passphrase of the authority in \(folder.path): "))
        }
    }

    /// The passphrase for a key that is about to be made.
    ///
    /// - Throws: ``ConcordError`` E-2002 if there is no file and no terminal, E-2001 if two answers differ.
    func newPassphrase() throws -> [UInt8] {
        if let passphrase = try passphraseFromFile() { return passphrase }
        guard Terminal.isPresent else {
            throw ConcordError(
                .passphraseNeeded, "a passphrase is needed to encrypt the authority's key",
                action: "give --passphrase-file FILE, or --no-passphrase to leave the key unencrypted")
        }
        let first = try Terminal.passphrase("New passphrase for the authority's key: ")
        guard try Terminal.passphrase("The same once more: ") == first else {
            throw ConcordError(.wrongPassphrase, "the two passphrases differ", action: "type the same twice")
        }
        return first
    }

    /// The first line of the file.
    private func passphraseFromFile() throws -> [UInt8]? {
        guard let passphraseFile else { return nil }
        let bytes = try LocalFile.read(passphraseFile)
        let line = Array(bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") })
        guard !line.isEmpty else {
            throw ConcordError(
                .wrongPassphrase, "\(passphraseFile) holds no passphrase",
                action: "write the passphrase on the first line of the file")
        }
        return line
    }
}

/// The terminal of the person who runs the command.
enum Terminal {
    /// Whether somebody can be asked.
    static var isPresent: Bool { isatty(STDIN_FILENO) == 1 }

    /// Asks for a passphrase without showing what is typed.
    ///
    /// - Throws: ``ConcordError`` E-2002 if the terminal cannot be used.
    static func passphrase(_ question: String) throws -> [UInt8] {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else { throw ConcordError(.passphraseNeeded, "there is no terminal to ask on") }
        defer { close(terminal) }
        var before = termios()
        guard tcgetattr(terminal, &before) == 0 else {
            throw ConcordError(.passphraseNeeded, "the terminal cannot hide what is typed")
        }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        guard tcsetattr(terminal, TCSAFLUSH, &silent) == 0 else {
            throw ConcordError(.passphraseNeeded, "the terminal cannot hide what is typed")
        }
        defer {
            tcsetattr(terminal, TCSAFLUSH, &before)
            _ = write(terminal, "\n", 1)
        }
        let prompt = Array(TerminalText.escaped(question).utf8)
        _ = write(terminal, prompt, prompt.count)
        var answer: [UInt8] = []
        var byte: UInt8 = 0
        while read(terminal, &byte, 1) == 1, byte != UInt8(ascii: "\n"), answer.count < 4096 {
            answer.append(byte)
        }
        guard !answer.isEmpty else { throw ConcordError(.passphraseNeeded, "no passphrase was typed") }
        return answer
    }
}
