// `concord member`: the roster, and the formal acts that change it. Acts are signed here, with the
// authority's key.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordCrypto
import ConcordModel
import ConcordNode

/// The family of `member`.
struct Member: CommandFamily {
    static let configuration = CommandConfiguration(
        commandName: "member", abstract: "Show the roster of a space and admit members.",
        subcommands: [List.self, Admit.self])

    /// Lists the roster.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Show the roster of a space.")
        @Option(help: "The space: its name, id or a prefix of the id.") var space: String?
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let output = common.output
            output.answer(try await common.daemon.members(space: space)) {
                MembershipView.members($0, style: output.style)
            }
        }
    }

    /// Admits a member or observer.
    struct Admit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "admit", abstract: "Sign the admission of a member, with the own authority's key.")
        @Argument(help: "The authority certificate that the member exported.") var file: String
        @Flag(help: "Admit as an observer, who reads and does not write.") var observer = false
        @Option(help: "The space: its name, id or a prefix of the id.") var space: String?
        @OptionGroup var authority: AuthorityOptions
        @OptionGroup var common: CommonOptions

        private struct Admitted: Encodable {
            var space: String
            var code: String
            var name: String
            var role: String
            var fingerprint: String
            var dot: String
            var threshold: UInt64
        }

        func run() async throws {
            let subject = try LocalFile.authority(file)
            let identity = try await common.identity()
            let space = try await common.space(space)
            guard let spaceDigest = ConcordCrypto.Digest(hex: space.id) else {
                throw ConcordError(.unknownSpace, "the daemon's id of the space is not one: \(space.id)")
            }
            let role: Role = observer ? .observer : .member
            let roster = try await common.daemon.members(space: space.id).document.members
            if let present = roster.first(where: { $0.id == subject.id.description }),
                present.role == role.word || present.role == Role.member.word
            {
                throw ConcordError(
                    .alreadyMember,
                    "\(present.code) \(present.name) is on the roster already, as \(present.role)")
            }
            let key = try authority.key(
                in: authority.folder(code: identity.member), member: try identity.memberID)
            let admission = Admission(
                space: SpaceID(spaceDigest), subject: subject, role: role, predecessor: nil,
                timestamp: WallClock.milliseconds())
            let signed = try SignedAct(act: admission.encoded, key: key)
            let dot = try await common.daemon.endorse(signed, in: space.id).document.dot
            report(
                Admitted(
                    space: space.id, code: subject.code.string, name: subject.name.string, role: role.word,
                    fingerprint: subject.id.description, dot: dot, threshold: space.admissionThreshold))
        }

        private func report(_ admitted: Admitted) {
            let threshold =
                admitted.threshold > 1
                ? "It counts once \(admitted.threshold) members have signed it." : "It counts at once."
            common.output.result(
                admitted,
                [
                    TerminalText.escaped(
                        "Signed: \(admitted.code) \(admitted.name) is admitted as \(admitted.role)."
                    ),
                    threshold,
                    "Fingerprint, to be compared by another road, such as the telephone:",
                    Quantity.fingerprint(admitted.fingerprint),
                ])
        }
    }
}

extension IdentityDocument {
    /// The member's id.
    var memberID: MemberID {
        get throws {
            guard let digest = ConcordCrypto.Digest(hex: memberId) else {
                throw ConcordError(.internalError, "the daemon's member id is not one: \(memberId)")
            }
            return MemberID(digest)
        }
    }
}
