// Errors as people meet them: a stable code, a sentence, and the next step where there is one. The catalogue below is
// the only place where codes are given out; Protocol/errors.md mirrors it and a test compares the two.

/// What a peer, a file, a flag or a person can cause. What only a bug can cause traps instead.
public struct ConcordError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The stable code.
    public let code: ErrorCode
    /// What happened, in one sentence without a full stop.
    public let message: String
    /// What to do next; nil if there is nothing to do.
    public let action: String?

    /// An error with the catalogue's next step, unless another is given.
    public init(_ code: ErrorCode, _ message: String, action: String? = nil) {
        self.code = code
        self.message = message
        self.action = action ?? code.entry.action
    }

    /// `E-3001: message. Next: action`, as one line.
    public var description: String {
        action.map { "\(code.rawValue): \(message). Next: \($0)" } ?? "\(code.rawValue): \(message)"
    }
}

/// The stable codes. Numbers are never given out twice: 1xxx what a person typed, 2xxx identity and TLS,
/// 3xxx changes and the wire, 4xxx spaces and membership, 5xxx the replica and the disk, 6xxx the daemon.
public enum ErrorCode: String, CaseIterable, Sendable {
    case usage = "E-1001"
    case unknownField = "E-1002"
    case malformedValue = "E-1003"
    case unknownRecord = "E-1004"
    case ambiguousIdentifier = "E-1005"
    case fieldInConflict = "E-1006"
    case recordMovedOn = "E-1007"
    case notTheOwner = "E-1008"
    case recordNotShown = "E-1009"
    case unreadableFile = "E-1010"
    case malformedImport = "E-1011"
    case noConflict = "E-1012"
    case unknownKind = "E-1013"
    case fileExists = "E-1014"
    case timeout = "E-1015"
    case missingField = "E-1016"
    case notShareable = "E-1017"
    case notConfirmed = "E-1018"
    case textUnchanged = "E-1019"
    case unknownTextVersion = "E-1020"
    case unknownAttachment = "E-1021"

    case wrongPassphrase = "E-2001"
    case passphraseNeeded = "E-2002"
    case malformedKey = "E-2003"
    case malformedCertificate = "E-2004"
    case noIdentity = "E-2005"
    case identityExists = "E-2006"
    case cryptography = "E-2007"
    case insecureFileMode = "E-2008"
    case malformedCertificateRequest = "E-2009"
    case certificateMismatch = "E-2010"
    case keyUnavailable = "E-2011"
    case certificateExpiring = "E-2012"
    case unknownAuthority = "E-2040"
    case ourCertificateExpired = "E-2041"
    case peerCertificateExpired = "E-2042"
    case certificateNotYetValid = "E-2043"
    case certificateUnusable = "E-2044"
    case noCertificate = "E-2045"
    case notTLS = "E-2046"
    case tlsVersion = "E-2047"
    case wrongApplicationProtocol = "E-2048"
    case handshakeTimedOut = "E-2049"
    case refusesOurCertificate = "E-2050"
    case tlsFailure = "E-2051"
    case peerSuspended = "E-2052"
    case ourMemberSuspended = "E-2053"

    case malformedChange = "E-3001"
    case limitExceeded = "E-3002"
    case badSignature = "E-3003"
    case brokenChain = "E-3004"
    case malformedFrame = "E-3005"
    case unexpectedMessage = "E-3006"
    case protocolVersion = "E-3007"
    case unknownReplica = "E-3008"
    case equivocation = "E-3009"
    case missingDependency = "E-3010"
    case peerPaused = "E-3011"
    case duplicateConnection = "E-3012"
    case nothingInCommon = "E-3013"
    case peerSilent = "E-3014"
    case connectionFailed = "E-3015"
    case digestMismatch = "E-3016"
    case ourReplicaElsewhere = "E-3017"
    case badReceipt = "E-3018"
    case erasureMissing = "E-3019"
    case blobMismatch = "E-3020"
    case peersFull = "E-3030"
    case proxyRefused = "E-3040"
    case proxyAuthentication = "E-3041"
    case proxyUnusable = "E-3042"
    case notABundle = "E-3050"
    case truncatedBundle = "E-3051"
    case alteredBundle = "E-3052"
    case bundleForOthers = "E-3053"
    case bundleOfUnknownSpace = "E-3054"
    case bundleExporterRefused = "E-3055"
    case newerBundle = "E-3056"
    case incompleteBundle = "E-3057"
    case recipientUnknown = "E-3058"

    case unknownSpace = "E-4001"
    case malformedCharter = "E-4002"
    case malformedAct = "E-4003"
    case malformedInvite = "E-4004"
    case notInStanding = "E-4005"
    case notYetAdmitted = "E-4006"
    case alreadyMember = "E-4007"
    case unknownMember = "E-4008"
    case spaceExists = "E-4009"
    case ambiguousSpace = "E-4010"
    case wrongAuthority = "E-4011"
    case mayNotSign = "E-4012"
    case actInForce = "E-4013"
    case thresholdOutOfReach = "E-4014"
    case ambiguousMember = "E-4015"

    case storeFailure = "E-5001"
    case newerDatabase = "E-5002"
    case corruptDatabase = "E-5003"
    case diskFull = "E-5004"
    case unwritableHome = "E-5005"
    case verificationFailed = "E-5006"
    case notABackup = "E-5007"
    case blobNotHeld = "E-5008"
    case damagedBlob = "E-5009"
    case diskFailure = "E-5010"
    case reserveReached = "E-5011"
    case backupOverdue = "E-5012"
    case backupFailed = "E-5013"
    case salvagePending = "E-5014"

    case unknownConfigurationKey = "E-6001"
    case malformedConfiguration = "E-6002"
    case addressInUse = "E-6003"
    case homeInUse = "E-6004"
    case daemonUnreachable = "E-6005"
    case malformedRequest = "E-6006"
    case internalError = "E-6007"
    case forbidden = "E-6008"
    case badAddress = "E-6009"

    /// What the code means, and the next step.
    public var entry: (summary: String, action: String?) { Self.catalogue[self]! }
}
