// The acts that a member makes alone: to leave, and to name a new authority key.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordCrypto
import ConcordModel
import ConcordNode

extension Member {
    /// Leaves a space.
    struct Leave: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "leave", abstract: "Sign that the own member leaves the space.",
            discussion: """
                What the member wrote stays. Nodes of the member no longer exchange the space, so they keep what \
                they hold and learn nothing more. To return, it is admitted again.
                """)
        @Option(
            help: ArgumentHelp(
                "The own member's code: yes, it is to leave (default: asks).", valueName: "code"))
        var yes: String?
        @OptionGroup var options: ActOptions

        func run() async throws {
            let flow = try await ActFlow(options)
            let own = try flow.own()
            let space = TerminalText.escaped(flow.guide.document.spaceName)
            let answer = yes ?? Terminal.answer("Type \(own.code) to leave “\(space)”: ")
            guard answer == own.code else {
                throw ConcordError(
                    .notConfirmed,
                    "\(own.code) \(own.name) does not leave “\(flow.guide.document.spaceName)”",
                    action: "repeat with --yes \(own.code)")
            }
            try await flow.finish(try flow.guide.departure(of: own, now: WallClock.milliseconds()))
        }
    }

    /// Names a new authority key.
    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate",
            abstract: "Make a new authority key, and sign with the old one that it replaces it.",
            discussion: """
                In every space in which the member stands, unless --space names one. The new key takes the old \
                one's place in the authority's folder once all of them know it; the old one stays beside it, under \
                its fingerprint. With --offline-out and the space's full id no node is needed; then `--finish` \
                puts the new key in place once the act is in force.
                """)
        @Flag(help: "Leave the new key unencrypted.") var noPassphrase = false
        @Flag(help: "Only put the new key into the old one's place.") var finish = false
        @OptionGroup var options: ActOptions

        private struct Finished: Encodable {
            var authority: String
            var fingerprint: String
        }

        private struct Rotated: Encodable {
            var authority: String
            var fingerprint: String
            var finished: Bool
            var acts: [ActDocument]
        }

        func run() async throws {
            if finish { return try await finishAlone() }
            if let path = options.offlineOut { return try await write(to: path) }
            let identity = try await options.common.identity()
            let rotation = AuthorityRotation(folder: options.authority.folder(code: identity.member))
            let spaces = try await spaces()
            let old = try options.authority.key(in: rotation.folder)
            let certificate = try rotation.prepare(passphrase: passphrase)
            let new = try options.authority.key(in: rotation.next)
            var acts: [ActDocument] = []
            var member: MemberID?
            for space in spaces {
                let flow = try await ActFlow(options, space: space)
                guard let line = flow.ownLine else { continue }
                member = try RosterGuide.id(of: line)
                // One that was interrupted goes on with the spaces that do not know the new key yet.
                if line.authorities.contains(certificate.publicKey.fingerprint.description) { continue }
                let act = try flow.guide.rotation(
                    of: line, from: old.publicKey.fingerprint, to: certificate, key: new,
                    now: WallClock.milliseconds())
                acts.append(
                    try await options.common.daemon.endorse(
                        try SignedAct(act: act, signer: try RosterGuide.id(of: line), key: old), in: space
                    ).document)
            }
            guard let member else {
                throw ConcordError(.unknownMember, "\(identity.member) is on the roster of no space here")
            }
            // With --space other spaces may know only the old key: it stays in place until all know the new one.
            let isComplete = options.space.name == nil
            if isComplete { try rotation.finish(member: member) }
            report(acts, certificate, rotation, isComplete: isComplete)
        }

        private func report(
            _ acts: [ActDocument], _ certificate: Certificate, _ rotation: AuthorityRotation, isComplete: Bool
        ) {
            let output = options.common.output
            let folder = rotation.folder.path
            var lines = acts.flatMap { MembershipView.signed($0, style: output.style) }
            lines.append("The new key's fingerprint:")
            lines.append(Quantity.fingerprint(certificate.publicKey.fingerprint.description))
            lines +=
                isComplete
                ? [
                    "It stands in \(folder); the old key stays beside it. Keep a copy of that folder in a safe.",
                    "Next: certify every node of the member anew: concord node renew --authority \(folder)",
                ]
                : [
                    "Next: rotate in the other spaces, too, or: concord member rotate --finish --authority \(folder)"
                ]
            output.result(
                Rotated(
                    authority: folder, fingerprint: certificate.publicKey.fingerprint.description,
                    finished: isComplete, acts: acts), lines.map(TerminalText.escaped))
        }

        /// The spaces that are meant.
        private func spaces() async throws -> [String] {
            if let name = options.space.name { return [try await options.common.space(name).id] }
            return try await options.common.daemon.spaces().document.spaces.map(\.id)
        }

        private func passphrase() throws -> [UInt8]? {
            noPassphrase ? nil : try options.authority.newPassphrase()
        }

        // MARK: Off-line

        private func write(to path: String) async throws {
            let code = options.authority.authority == nil ? try await options.common.identity().member : ""
            let rotation = AuthorityRotation(folder: options.authority.folder(code: code))
            let old = try options.authority.key(in: rotation.folder)
            let member = try rotation.folder.memberID()
            let (space, name) = try await spaceOffline()
            let certificate = try rotation.prepare(passphrase: passphrase)
            let subject = certificate.subject
            let act = try Rotation(
                space: space, subject: member, replaces: old.publicKey.fingerprint,
                certificate: certificate.der, key: try options.authority.key(in: rotation.next),
                timestamp: WallClock.milliseconds())
            let file = try ActFile(
                bytes: act.encoded, spaceName: UTF8Text(name),
                names: [
                    .init(
                        member: member, code: UTF8Text(subject.memberCode), name: UTF8Text(subject.memberName)
                    )
                ], signatures: [try SignedAct(act: act.encoded, signer: member, key: old)])
            try LocalFile.create(path, file.encoded)
            options.common.output.written(
                file, path: path,
                more: ActReport(lines: [
                    "Once it is in force: concord member rotate --finish --authority \(rotation.folder.path)"
                ]))
        }

        /// The space and its name; the name is not known where no node can be asked.
        private func spaceOffline() async throws -> (SpaceID, String) {
            if let name = options.space.name, let digest = ConcordCrypto.Digest(hex: name) {
                return (SpaceID(digest), "")
            }
            let space = try await options.common.space(options.space.name)
            guard let digest = ConcordCrypto.Digest(hex: space.id) else {
                throw ConcordError(.internalError, "the daemon's id of the space is not one: \(space.id)")
            }
            return (SpaceID(digest), space.name)
        }

        private func finishAlone() async throws {
            let code = options.authority.authority == nil ? try await options.common.identity().member : ""
            let rotation = AuthorityRotation(folder: options.authority.folder(code: code))
            // Interrupted half-way the old certificate is gone already, and the id was written down before.
            try rotation.finish(member: try rotation.folder.memberID())
            let fingerprint = try rotation.folder.certificate().publicKey.fingerprint.description
            options.common.output.result(
                Finished(authority: rotation.folder.path, fingerprint: fingerprint),
                [
                    "The new authority key stands in \(rotation.folder.path); the old one beside it.",
                    "Next: certify every node of the member anew: concord node renew --authority "
                        + rotation.folder.path,
                ].map(TerminalText.escaped))
        }
    }
}

extension RosterGuide {
    /// The act that names a new authority key in place of an old one.
    func rotation(
        of member: MembersDocument.Member, from old: ConcordCrypto.Digest, to new: Certificate,
        key: PrivateKey,
        now: Int64
    ) throws -> [UInt8] {
        try Rotation(
            space: space, subject: try Self.id(of: member), replaces: old, certificate: new.der, key: key,
            timestamp: now
        ).encoded
    }
}

extension Terminal {
    /// What somebody answers to a question; nil if there is nobody to ask.
    static func answer(_ question: String) -> String? {
        guard isPresent else { return nil }
        Output(json: false).ask(question)
        return readLine()?.trimmingCharacters(in: .whitespaces)
    }
}
