// How a command makes an act: it drafts one, or finds the one that others have begun to sign, shows what is signed,
// signs with the authority's key in the person's own process, and hands it to the daemon or writes it to a file.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordCrypto
import ConcordModel
import ConcordNode

/// The options of every command that makes an act.
struct ActOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write the act to this file instead of sending it; unsigned, unless --authority is given.",
            valueName: "file"))
    var offlineOut: String?
    @OptionGroup var space: SpaceOption
    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var common: CommonOptions
}

/// An act on its way from a person's wish to the space.
struct ActFlow {
    let options: ActOptions
    /// Who the node is.
    let identity: IdentityDocument
    let guide: RosterGuide

    /// Asks the daemon for the roster.
    init(_ options: ActOptions, space name: String? = nil) async throws {
        self.options = options
        identity = try await options.common.identity()
        let space = try await options.common.space(name ?? options.space.name)
        guide = try RosterGuide(try await options.common.daemon.members(space: space.id).document)
    }

    /// This node's member on the roster, nil if it is not there.
    var ownLine: MembersDocument.Member? {
        let members = guide.document.members
        return members.first { $0.id == identity.memberId }
            ?? members.first {
                ($0.authorities + $0.formerAuthorities).contains(identity.authorityFingerprint)
            }
    }

    /// This node's member on the roster.
    ///
    /// - Throws: ``ConcordError`` E-4008 if it is not there.
    func own() throws -> MembersDocument.Member {
        guard let line = ownLine else {
            throw ConcordError(
                .unknownMember, "\(identity.member) is not on the roster of “\(guide.document.spaceName)”")
        }
        return line
    }

    /// Signs the pending act that says the same, or else the draft; or writes it to a file.
    ///
    /// - Parameter more: what the output says besides, for people and in JSON.
    func finish(_ draft: Act, more: ActReport = ActReport()) async throws {
        if let pending = try guide.pending(like: draft) {
            try await finish(pending, more: more)
        } else {
            guard let bytes = draft.encoded else { preconditionFailure("a draft of an unknown kind") }
            try await finish(bytes: bytes, more: more)
        }
    }

    /// Signs an act that waits for signatures.
    func finish(_ pending: RosterGuide.Pending, more: ActReport = ActReport()) async throws {
        let own = try own()
        if options.offlineOut == nil, pending.document.signatures.contains(where: { $0.member.id == own.id })
        {
            let who = pending.document.maySign.map(\.code).joined(separator: ", ")
            throw ConcordError(
                .actInForce,
                "\(own.code) \(own.name) has signed this act already; \(pending.document.missing) more must sign"
                    + (who.isEmpty ? "" : " of \(who)"))
        }
        try await finish(
            bytes: pending.bytes,
            others: pending.document.signatures.map { "\($0.member.code) \($0.member.name)" },
            more: more)
    }

    /// - Parameter others: who signed the act already; nil for an act that is drafted just now.
    func finish(bytes: [UInt8], others: [String]? = nil, more: ActReport) async throws {
        let output = options.common.output
        let act = try Act(encoded: bytes)
        var file = try ActFile(
            bytes: bytes, spaceName: UTF8Text(guide.document.spaceName), names: guide.names(in: act))
        if let others {
            output.remark("This act was drafted already and waits for signatures:")
            for line in ActView.lines(file, signers: others) { output.remark("  " + line) }
        }
        if let path = options.offlineOut {
            if options.authority.authority != nil { try file.add(try sign(bytes)) }
            try LocalFile.create(path, file.encoded)
            output.written(file, path: path, more: more)
        } else {
            let answer = try await options.common.daemon.endorse(try sign(bytes), in: guide.document.space)
            output.signed(answer.document, space: guide.document.space, more: more)
        }
    }

    /// Signs with the key of this node's member.
    func sign(_ act: [UInt8]) throws -> SignedAct {
        let own = try own()
        let folder = options.authority.folder(code: identity.member)
        let key = try options.authority.key(in: folder)
        let signer = try guide.signer(key: key.publicKey.fingerprint)
        guard signer.id == own.id else {
            throw ConcordError(
                .wrongAuthority,
                "the authority in \(folder.path) is that of \(signer.code) \(signer.name), and this node is "
                    + "\(own.code)'s")
        }
        return try SignedAct(act: act, signer: try RosterGuide.id(of: signer), key: key)
    }
}

/// What a command says besides what became of the act.
struct ActReport {
    /// Sentences for people, after the rest.
    var lines: [String] = []
    /// The member that the act is about, for JSON.
    var subject: Subject?

    /// A member that an act is about.
    struct Subject {
        let code: String
        let name: String
        let role: String?
        let fingerprint: String
    }
}

/// What became of an act, as `--json` prints it.
private struct SignedResult: Encodable {
    let act: ActDocument
    let space: String
    let subject: ActReport.Subject?

    private enum CodingKeys: String, CodingKey { case space, code, name, role, fingerprint }

    func encode(to encoder: any Encoder) throws {
        try act.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(space, forKey: .space)
        guard let subject else { return }
        try container.encode(subject.code, forKey: .code)
        try container.encode(subject.name, forKey: .name)
        try container.encode(subject.role, forKey: .role)
        try container.encode(subject.fingerprint, forKey: .fingerprint)
    }
}

/// An act in a file, as `--json` prints it.
struct ActFileResult: Encodable {
    var file: String?
    var act: String
    var kind: String
    var space: String
    var summary: String
    var signers: [String]

    init(_ file: ActFile, path: String?) {
        self.file = path
        act = file.hash.description
        kind = file.act.kind.string
        space = file.act.space.description
        summary = file.act.summary(file.name)
        signers = file.signatures.map(\.signer.description)
    }
}

extension Output {
    /// Says what became of a signature.
    func signed(_ act: ActDocument, space: String, more: ActReport = ActReport()) {
        result(
            SignedResult(act: act, space: space, subject: more.subject),
            MembershipView.signed(act, style: style) + more.lines.map(TerminalText.escaped))
    }

    /// Says that an act was written to a file.
    func written(_ file: ActFile, path: String, more: ActReport = ActReport()) {
        let state = file.signatures.isEmpty ? "not signed yet" : "signed by \(file.signatures.count)"
        let next =
            file.signatures.isEmpty
            ? "concord act sign \(path) --authority DIR, then concord act submit \(path)"
            : "concord act submit \(path)"
        result(
            ActFileResult(file, path: path),
            ([
                "The act is in \(path), \(state): \(file.act.summary(file.name))", "Next: \(next)",
            ] + more.lines).map(TerminalText.escaped))
    }
}
