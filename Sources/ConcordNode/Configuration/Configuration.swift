// What an administrator decides for a daemon: HOME/concord.yaml, and environment variables over it. Every key
// has an effect, an unknown one is an error, and what cannot be read is refused with its line before anything
// starts.

import ConcordModel
import ConcordStore
import ConcordTransport
import Logging

/// The configuration of a daemon.
public struct Configuration: Hashable, Sendable {
    /// Where a node listens whose configuration does not say.
    public static let defaultListen = [NodeAddress(host: "0.0.0.0", port: 7443)]

    /// Where to listen for peers; empty for a node that only dials out.
    public var listen: [NodeAddress]
    /// Where peers reach this node; told to them, and part of invites. Empty: where it listens.
    public var addresses: [NodeAddress]
    /// Addresses of peers to dial, besides those that are known from elsewhere.
    public var peers: [NodeAddress]
    /// The HTTP proxy by which peers are dialled; nil if they are dialled directly.
    public var proxy: HTTPProxy?
    /// From which level on the log is written.
    public var logLevel: Logger.Level
    /// How the log is written.
    public var logFormat: LogFormat
    /// Where the node's private keys are found.
    public var keys = KeySources()
    /// Which of the machine's users may do what.
    public var access = AccessPolicy()
    /// Which files of attachments are fetched unasked.
    public var blobs = BlobPolicy()
    /// When backups are made, where, and how many are kept.
    public var backup = BackupPolicy()
    /// Bytes of the disk that ordinary writes leave free.
    public var reserveBytes = StorageLimits.reserveBytes {
        didSet { blobs.reservedBytes = 2 * reserveBytes }
    }

    /// A configuration of these parts.
    public init(
        listen: [NodeAddress] = defaultListen, addresses: [NodeAddress] = [], peers: [NodeAddress] = [],
        logLevel: Logger.Level = .info, logFormat: LogFormat = .logfmt
    ) {
        self.listen = listen
        self.addresses = addresses
        self.peers = peers
        self.logLevel = logLevel
        self.logFormat = logFormat
    }

    /// Reads the file, if there is one, and lays the environment over it.
    ///
    /// - Parameters:
    ///   - path: The file, usually HOME/concord.yaml.
    ///   - environment: The process's environment. A variable overrides a key of the file: its name is
    ///     `CONCORD_` and the key's in capitals, with `_` for a dot; entries of lists are separated by commas,
    ///     an empty text is an empty list. `CREDENTIALS_DIRECTORY` is where systemd hands over keys.
    /// - Throws: ``ConcordError`` E-6001 for an unknown key, E-6002 for what cannot be read, E-6009 for an
    ///   address.
    public static func load(path: String, environment: [String: String]) throws -> Configuration {
        var configuration = Configuration()
        if FileSystem.exists(path) {
            let text: String
            do {
                text = try FileSystem.readText(path)
            } catch let error as ConcordError {
                throw ConcordError(
                    .malformedConfiguration, error.message, action: "check the file and its permissions")
            }
            try configuration.apply(yaml: text, file: path)
        }
        try configuration.apply(environment: environment)
        configuration.keys.credentials = environment["CREDENTIALS_DIRECTORY"].flatMap {
            $0.isEmpty ? nil : $0
        }
        return configuration
    }

    /// The keys of the file, and with a prefix the variables of the environment.
    enum Key: String, CaseIterable {
        case listen
        case addresses
        case peers
        case proxy
        case logLevel = "log_level"
        case logFormat = "log_format"
        case blobs
        case blobsEagerLimit = "blobs_eager_limit"
        case reserve = "storage.reserve"
        case backupEvery = "backup.every"
        case backupFolder = "backup.folder"
        case backupKeptDays = "backup.keep_days"
        case backupKeptWeeks = "backup.keep_weeks"
        case signingKey = "identity.signing_key"
        case agreementKey = "identity.agreement_key"
        case passphraseFile = "identity.passphrase_file"
        case provider = "identity.provider"
        case providerConfiguration = "identity.provider_configuration"
        case providerProperties = "identity.provider_properties"
        case readers = "access.readers"
        case editors = "access.editors"
        case administrators = "access.administrators"

        /// The variable that overrides the key.
        var variable: String { "CONCORD_\(rawValue.replacing(".", with: "_").uppercased())" }

        /// Whether the key takes a list.
        var isList: Bool {
            switch self {
            case .listen, .addresses, .peers, .readers, .editors, .administrators: true
            default: false
            }
        }

        /// Whether keys begin with this word and a dot: in the file they stand indented below it.
        static func isSection(_ name: String) -> Bool {
            allCases.contains { $0.rawValue.hasPrefix(name + ".") }
        }
    }

    mutating func set(_ key: Key, to texts: [String], where place: String) throws {
        func addresses(allowingAnyPort: Bool = false) throws -> [NodeAddress] {
            try texts.map { text in
                do {
                    return try NodeAddress(parsing: text, allowingAnyPort: allowingAnyPort)
                } catch let error as ConcordError {
                    throw ConcordError(error.code, "\(place), key `\(key.rawValue)`: \(error.message)")
                }
            }
        }
        switch key {
        case .listen: listen = try addresses(allowingAnyPort: true)
        case .addresses: self.addresses = try addresses()
        case .peers: peers = try addresses()
        case .proxy: proxy = try Self.text(texts).map { try HTTPProxy(parsing: $0, key: key, where: place) }
        case .logLevel: logLevel = try Self.choice(texts, Logger.Level.allCases, key, place)
        case .logFormat: logFormat = try Self.choice(texts, LogFormat.allCases, key, place)
        case .blobs: blobs.mode = try Self.choice(texts, BlobPolicy.Mode.allCases, key, place)
        case .blobsEagerLimit: blobs.eagerLimit = try Self.byteCount(texts, key, place)
        case .reserve: reserveBytes = try Self.byteCount(texts, key, place)
        case .backupEvery:
            guard let interval = texts.first.flatMap(BackupPolicy.interval) else {
                throw Self.refusal(texts, key, place, "no interval such as 12h or 1d, and not off")
            }
            backup.interval = interval
        case .backupFolder:
            backup.folder = Self.text(texts)
            guard backup.folder?.hasPrefix("/") ?? true else {
                throw Self.refusal(texts, key, place, "no absolute path")
            }
        case .backupKeptDays: backup.keptDays = try Self.number(texts, key, place)
        case .backupKeptWeeks: backup.keptWeeks = try Self.number(texts, key, place)
        case .signingKey: keys.signingKey = Self.text(texts)
        case .agreementKey: keys.agreementKey = Self.text(texts)
        case .passphraseFile: keys.passphraseFile = Self.text(texts)
        case .provider: keys.provider.name = Self.text(texts)
        case .providerConfiguration: keys.provider.configuration = Self.text(texts)
        case .providerProperties: keys.provider.properties = Self.text(texts)
        case .readers: access.readers = try Self.users(texts, key, place)
        case .editors: access.editors = try Self.users(texts, key, place)
        case .administrators: access.administrators = try Self.users(texts, key, place)
        }
    }

    /// The only text; nil if it is empty, which means that nothing was given.
    private static func text(_ texts: [String]) -> String? { texts.first.flatMap { $0.isEmpty ? nil : $0 } }

    private static func users(_ texts: [String], _ key: Key, _ place: String) throws -> [AccessPolicy.Entry] {
        try texts.map { text in
            guard let entry = AccessPolicy.Entry(text) else {
                throw ConcordError(
                    .malformedConfiguration,
                    "\(place): “\(text.prefix(64))” in `\(key.rawValue)` is neither a user nor a @group")
            }
            return entry
        }
    }

    private static func refusal(
        _ texts: [String], _ key: Key, _ place: String, _ what: String
    ) -> ConcordError {
        ConcordError(
            .malformedConfiguration,
            "\(place): `\(key.rawValue)` is “\(texts.joined(separator: ",").prefix(64))”, which is \(what)")
    }

    private static func number(_ texts: [String], _ key: Key, _ place: String) throws -> Int {
        guard let number = texts.first.flatMap({ Int($0) }), (0...10_000).contains(number) else {
            throw refusal(texts, key, place, "no number from 0 to 10000")
        }
        return number
    }

    private static func byteCount(_ texts: [String], _ key: Key, _ place: String) throws -> Int64 {
        guard let count = texts.first.flatMap(ByteCount.parse) else {
            throw refusal(texts, key, place, "no size such as 256 MiB")
        }
        return count
    }

    private static func choice<Choice: RawRepresentable<String>>(
        _ texts: [String], _ all: [Choice], _ key: Key, _ place: String
    ) throws -> Choice {
        guard texts.count == 1, let choice = Choice(rawValue: texts[0]) else {
            throw ConcordError(
                .malformedConfiguration,
                "\(place): `\(key.rawValue)` is “\(texts.joined(separator: ","))”, which is none of "
                    + all.map(\.rawValue).joined(separator: ", "))
        }
        return choice
    }
}
