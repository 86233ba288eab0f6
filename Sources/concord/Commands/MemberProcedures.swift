// The acts that members decide together: admission, suspension, reinstatement, offices.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordModel
import ConcordNode

extension Member {
    /// Admits a member or observer.
    struct Admit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "admit", abstract: "Sign the admission of a member, with the own authority's key.")
        @Argument(help: "The authority certificate that the member exported.") var file: String
        @Flag(help: "Admit as an observer, who reads and does not write.") var observer = false
        @Option(
            help: ArgumentHelp(
                "The former identity whose records the member takes over, whose authority was lost.",
                valueName: "code|fingerprint"))
        var takesOver: String?
        @OptionGroup var options: ActOptions

        func run() async throws {
            let subject = try LocalFile.authority(file)
            let flow = try await ActFlow(options)
            let role: Role = observer ? .observer : .member
            let draft = try flow.guide.admission(
                of: subject, as: role, takingOver: takesOver, now: WallClock.milliseconds())
            try await flow.finish(
                draft,
                more: ActReport(
                    lines: [
                        "Fingerprint, to be compared by another road, such as the telephone:",
                        Quantity.fingerprint(subject.id.description),
                    ],
                    subject: .init(
                        code: subject.code.string, name: subject.name.string, role: role.word,
                        fingerprint: subject.id.description)))
        }
    }

    /// Suspends a member.
    struct Suspend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "suspend", abstract: "Sign the suspension of a member.",
            discussion: """
                What the member wrote up to the cut-off stays in effect, and so does what others built upon, \
                which is all that the node holds that carries the act: a lower cut-off takes the effect only from \
                what arrives later. --keep says where the cut-off is: `now`, all that this node holds (the \
                default); `none`; a day \
                or moment, by the member's own clock, which may lie; REPLICA:NUMBER, for one replica, as \
                `concord member list --json` shows them; repeatable. Where an act that suspends the member \
                waits already, that one is signed, with its reason and cut-off, unless --keep is given.
                """)
        @Argument(help: "The member's code, or the beginning of its fingerprint.") var member: String
        @Option(help: "Why; everybody reads it.") var reason: String?
        @Option(help: ArgumentHelp("What stays in effect.", valueName: "now|none|day|replica:number"))
        var keep: [String] = []
        @OptionGroup var options: ActOptions

        func run() async throws {
            let flow = try await ActFlow(options)
            let subject = try flow.guide.member(member)
            let keeps = try await flow.keeps(keep, of: subject)
            let draft = try flow.guide.suspension(
                of: subject, keeping: keeps, reason: reason ?? "", now: WallClock.milliseconds())
            let report = ActReport(
                subject: .init(
                    code: subject.code, name: subject.name, role: nil, fingerprint: subject.fingerprint))
            if keep.isEmpty, let pending = try flow.guide.pending(like: draft) {
                return try await flow.finish(pending, more: report)
            }
            guard reason?.isEmpty == false else {
                throw ConcordError(
                    .usage, "a suspension needs a reason, which everybody reads",
                    action: "give --reason \"…\"")
            }
            for sentence in try flow.guide.consequences(of: keeps, for: subject) {
                options.common.output.remark("Note: \(TerminalText.escaped(sentence)).")
            }
            try await flow.finish(new: draft, more: report)
        }
    }

    /// Takes back the suspensions of a member.
    struct Reinstate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reinstate", abstract: "Sign that a member's suspensions are taken back.")
        @Argument(help: "The member's code, or the beginning of its fingerprint.") var member: String
        @OptionGroup var options: ActOptions

        func run() async throws {
            let flow = try await ActFlow(options)
            let subject = try flow.guide.member(member)
            try await flow.finish(try flow.guide.reinstatement(of: subject, now: WallClock.milliseconds()))
        }
    }

    /// Gives an office to members.
    struct Appoint: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "appoint", abstract: "Sign that an office is given to members, or handed over.",
            discussion: """
                As many members sign it as sign an admission; or all who hold the office hand it over, and nobody \
                else needs to. Whoever held the office before does not any more.
                """)
        @Argument(help: "The office: chair, troika or secretariat.") var office: Office
        @Argument(help: "The members that hold it from now on; `none` for nobody.") var members: [String]
        @OptionGroup var options: ActOptions

        /// The offices that there are.
        enum Office: String, ExpressibleByArgument, CaseIterable {
            case chair, troika, secretariat
        }

        func run() async throws {
            let flow = try await ActFlow(options)
            let holders = members == ["none"] ? [] : try members.map { try flow.guide.member($0) }
            guard Set(holders.map(\.id)).count == holders.count else {
                throw ConcordError(.usage, "a member is named twice", action: "name each once")
            }
            try await flow.finish(
                try flow.guide.appointment(
                    to: office.rawValue, holders: holders, now: WallClock.milliseconds()))
        }
    }
}

extension ActFlow {
    /// Signs a draft although an act that says the same may wait: its cut-off is another.
    func finish(new draft: Act, more: ActReport) async throws {
        guard let bytes = draft.encoded else { preconditionFailure("a draft of an unknown kind") }
        try await finish(bytes: bytes, more: more)
    }

    /// The cut-offs that somebody typed.
    ///
    /// - Throws: ``ConcordError`` E-1003 for what is none.
    func keeps(_ typed: [String], of member: MembersDocument.Member) async throws -> VersionVector {
        var wanted: [RosterGuide.Keep] = []
        for text in typed {
            if text == "now" { continue }
            let parts = text.split(separator: ":")
            if text == "none" {
                wanted.append(.nothing)
            } else if parts.count == 2, parts[0].allSatisfy(\.isHexDigit), let sequence = UInt64(parts[1]) {
                wanted.append(.replica(prefix: String(parts[0]), sequence: sequence))
            } else if let since = Since(argument: text) {
                wanted += try await keeps(
                    until: since.milliseconds(now: WallClock.milliseconds()), of: member)
            } else {
                throw ConcordError(
                    .malformedValue, "“\(text.prefix(64))” is no cut-off",
                    action: "write now, none, a day such as 2026-11-22, or REPLICA:NUMBER")
            }
        }
        return try guide.keeps(wanted, of: member)
    }

    /// Of each replica the changes before the first that is dated at or after `moment`.
    private func keeps(
        until moment: Int64, of member: MembersDocument.Member
    ) async throws -> [RosterGuide.Keep] {
        let log = try await options.common.daemon.log(
            record: nil, member: member.code, since: moment, limit: Self.logChanges,
            space: guide.document.space
        ).document.changes
        guard log.count < Self.logChanges else {
            throw ConcordError(
                .limitExceeded, "more than \(Self.logChanges) changes are dated since then",
                action: "give the cut-offs as REPLICA:NUMBER")
        }
        var first: [String: UInt64] = [:]
        for dot in log.compactMap({ Dot(text: $0.dot) }) {
            first[dot.replica.description] = min(first[dot.replica.description] ?? .max, dot.sequence)
        }
        return member.replicas.compactMap { line in
            first[line.replica].map { .replica(prefix: line.replica, sequence: $0 - 1) }
        }
    }

    /// The changes of a page of the log, as many as the daemon gives.
    private static let logChanges = 100_000
}
