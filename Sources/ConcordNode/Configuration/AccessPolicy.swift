// Which of the machine's users may do what over the local socket. Who may open the socket at all is decided by its
// mode and group; what they may do there, by this.

import Glibc

/// What a user of the machine may do, each role all that the one before may.
public enum LocalRole: String, CaseIterable, Comparable, Sendable {
    /// May look.
    case reader
    /// May write records.
    case editor
    /// May change who takes part, and look after the node.
    case administrator

    private var rank: Int {
        switch self {
        case .reader: 0
        case .editor: 1
        case .administrator: 2
        }
    }

    public static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }
}

/// Who has which role. The daemon's own user and root are administrators, whatever it says.
public struct AccessPolicy: Hashable, Sendable {
    /// A user, or all members of a group. A name of digits alone is a number of the kernel's.
    public enum Entry: Hashable, Sendable, CustomStringConvertible {
        case user(String)
        case group(String)

        /// A user's name, or `@` and a group's; nil if it cannot be one.
        public init?(_ text: String) {
            let isGroup = text.hasPrefix("@")
            let name = isGroup ? String(text.dropFirst()) : text
            guard (1...256).contains(name.utf8.count),
                name.unicodeScalars.allSatisfy({
                    $0.value > 0x20 && $0.value != 0x7F && !"@:,".unicodeScalars.contains($0)
                })
            else { return nil }
            self = isGroup ? .group(name) : .user(name)
        }

        public var description: String {
            switch self {
            case .user(let name): name
            case .group(let name): "@\(name)"
            }
        }
    }

    /// Who may look.
    public var readers: [Entry] = []
    /// Who may write records.
    public var editors: [Entry] = []
    /// Who may do everything.
    public var administrators: [Entry] = []

    /// A policy without lists: the members of the socket's group are editors.
    public init(readers: [Entry] = [], editors: [Entry] = [], administrators: [Entry] = []) {
        self.readers = readers
        self.editors = editors
        self.administrators = administrators
    }

    /// Whether nobody is listed.
    public var isDefault: Bool { readers.isEmpty && editors.isEmpty && administrators.isEmpty }

    /// The highest role of a caller; nil if it has none.
    ///
    /// - Parameters:
    ///   - daemon: The user as whom the daemon runs.
    ///   - socketGroup: The group of the socket.
    func role(of caller: LocalCaller, daemon: uid_t, socketGroup: gid_t) -> LocalRole? {
        if caller.uid == 0 || caller.uid == daemon { return .administrator }
        guard !isDefault else { return caller.groups.contains(socketGroup) ? .editor : nil }
        if administrators.contains(where: caller.isMeant) { return .administrator }
        if editors.contains(where: caller.isMeant) { return .editor }
        return readers.contains(where: caller.isMeant) ? .reader : nil
    }

    /// The entries that name nobody on this machine, so that a slip of the pen does not pass for a decision.
    var unknownEntries: [Entry] {
        (administrators + editors + readers).filter { entry in
            switch entry {
            case .user(let name): uid_t(name) == nil && UserAccount.named(name) == nil
            case .group(let name): gid_t(name) == nil && UserGroup.number(named: name) == nil
            }
        }
    }
}

/// Who is on the other end of the socket.
struct LocalCaller: Hashable, Sendable {
    let uid: uid_t
    /// The user's name; nil without an account.
    let name: String?
    /// The groups of the process that the kernel vouches for and those of the user's account.
    let groups: Set<gid_t>

    init(uid: uid_t, name: String?, groups: Set<gid_t>) {
        self.uid = uid
        self.name = name
        self.groups = groups
    }

    /// The caller of whom the kernel gives user and group.
    init(uid: uid_t, gid: gid_t) {
        let account = UserAccount.of(uid)
        self.init(uid: uid, name: account?.name, groups: (account?.groups() ?? []).union([gid]))
    }

    /// The name, or `uid N` for a user without an account.
    var label: String { name ?? "uid \(uid)" }

    func isMeant(by entry: AccessPolicy.Entry) -> Bool {
        switch entry {
        case .user(let text): text == name || uid_t(text) == uid
        case .group(let text): (gid_t(text) ?? UserGroup.number(named: text)).map(groups.contains) ?? false
        }
    }
}
