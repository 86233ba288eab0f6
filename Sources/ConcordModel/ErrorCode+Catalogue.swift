// The meaning of each code and the usual next step, for `concord explain` and Protocol/errors.md.

extension ErrorCode {
    static let catalogue: [ErrorCode: (summary: String, action: String?)] = {
        var all: [ErrorCode: (summary: String, action: String?)] = [:]
        for (code, summary, action) in typed + identity + exchange + bundles + membership + replica + daemon {
            precondition(all.updateValue((summary, action), forKey: code) == nil, "two entries for \(code)")
        }
        precondition(all.count == allCases.count, "the catalogue lacks a code")
        return all
    }()

    private static let typed: [(ErrorCode, String, String?)] = [
        (.usage, "The command was not understood.", "see `concord help`"),
        (
            .unknownField, "The kind of record has no such field.",
            "use one of the fields that the message lists"
        ),
        (.malformedValue, "A value is not of the form that its field takes.", "write it as the message says"),
        (
            .unknownRecord, "No record has this id.",
            "list the records with `concord contact list`, `meeting list` or `document list`"
        ),
        (.ambiguousIdentifier, "Several ids begin like this.", "give more digits of the id"),
        (
            .fieldInConflict, "The field holds several concurrent values.",
            "see `concord conflicts`, then `concord resolve ID FIELD --take N`"
        ),
        (
            .recordMovedOn, "The record changed since the version that was given as base.",
            "look at it again with `show`, then repeat with the new version"
        ),
        (
            .notTheOwner, "Only the member that created this record may change it.",
            "ask the owner, or record your own"
        ),
        (
            .recordNotShown, "The record, or one above it, is deleted.",
            "restore the outermost deleted record first, with `restore ID`"
        ),
        (.unreadableFile, "A file cannot be read or written.", "check its path and permissions"),
        (
            .malformedImport,
            "A line of the import is not as it must be.",
            "correct the line that the message names and import again"
        ),
        (.noConflict, "The field is not in conflict, or has no such value.", "see `concord conflicts`"),
        (.unknownKind, "There is no such kind of record.", "use one of the kinds that the message lists"),
        (.fileExists, "The file exists already and is not overwritten.", "choose another name or remove it"),
        (.timeout, "What was waited for did not happen in time.", "see `concord status`"),
        (
            .missingField, "A field that the kind requires is missing.",
            "give the fields that the message names"
        ),
        (
            .notShareable, "The record cannot be shared with another space.",
            "share the record that the message names"
        ),
        (
            .notConfirmed, "What cannot be taken back was not confirmed.",
            "repeat it with --yes as the message says"
        ),
        (
            .textUnchanged, "The text is as it was at its base, so nothing was written.",
            "change the text first"
        ),
        (
            .unknownTextVersion, "The text has no such version here.",
            "see the text's history for its versions; a version of another node may be on its way"
        ),
        (
            .unknownAttachment, "The document has no such attachment, or several.",
            "see `concord attachment list DOCUMENT` and give the attachment's id"
        ),
    ]

    private static let identity: [(ErrorCode, String, String?)] = [
        (.wrongPassphrase, "The passphrase does not open the key.", "try again with the right passphrase"),
        (
            .passphraseNeeded, "The key is encrypted and no passphrase was given.",
            "give --passphrase-file FILE, or run on a terminal"
        ),
        (
            .malformedKey, "A private or public key is not a P-256 key in PEM.",
            "restore the file from your own safe copy"
        ),
        (
            .malformedCertificate, "A certificate cannot be read or is not of the expected kind.",
            "ask for the file again"
        ),
        (
            .noIdentity, "This home holds no node identity.",
            "run `concord init --home DIR --member CODE --name NAME --node NAME`"
        ),
        (
            .identityExists, "This home holds an identity already, which is not overwritten.",
            "choose another --home"
        ),
        (.cryptography, "OpenSSL refused an operation.", "see the message; check the system's crypto policy"),
        (
            .insecureFileMode, "A key file can be read by others.",
            "run `chmod 600` on the file that the message names"
        ),
        (
            .malformedCertificateRequest,
            "A certificate request cannot be read, or its signature does not verify.",
            "ask for the file again, as `concord node request` makes it"
        ),
        (
            .certificateMismatch,
            "Certificates do not fit this node's keys or authority, or are not valid now.",
            "have them issued from this node's own request"
        ),
        (
            .keyUnavailable, "A key behind a URI, or the OpenSSL provider for it, cannot be loaded.",
            "check the URI, the provider and the token, as the message says"
        ),
        (.certificateExpiring, "Our node certificate expires soon.", "renew it with `concord node renew`"),
        (
            .unknownAuthority, "The certificate's authority is not on the roster of a space that both share.",
            "admit the member with `concord member admit FILE`, or wait until its admission has arrived"
        ),
        (
            .ourCertificateExpired, "Our node certificate has expired, peers refuse it.",
            "renew it with `concord node renew`"
        ),
        (
            .peerCertificateExpired, "The peer's node certificate has expired.",
            "ask its administrator to renew it"
        ),
        (
            .certificateNotYetValid, "A node certificate is not valid yet.",
            "check the clocks of both machines"
        ),
        (
            .certificateUnusable, "A certificate is malformed or made for another purpose.",
            "check which file the peer's daemon uses"
        ),
        (
            .noCertificate, "The other side presented no certificate.",
            "connect with `concordd`; nothing else is served on this port"
        ),
        (.notTLS, "What arrived is not TLS.", "connect with `concordd`; nothing else is served on this port"),
        (
            .tlsVersion, "The other side does not speak TLS 1.3.",
            "connect with `concordd`; nothing else is served on this port"
        ),
        (
            .wrongApplicationProtocol, "The other side does not offer this protocol.",
            "upgrade the older of the two nodes"
        ),
        (
            .handshakeTimedOut, "The TLS handshake did not finish in time.",
            "check the link, and that the address belongs to a node"
        ),
        (
            .refusesOurCertificate, "The peer refuses our certificate.",
            "ask its administrator what its log says"
        ),
        (.tlsFailure, "TLS failed.", "see the message"),
        (
            .peerSuspended, "The peer's member is suspended, or its node revoked.",
            "see `concord member list`; it may connect again once it is reinstated"
        ),
        (
            .ourMemberSuspended,
            "Our member is suspended, or this node revoked: peers do not exchange with it.",
            "ask the members of the space, by another road"
        ),
    ]

    private static let exchange: [(ErrorCode, String, String?)] = [
        (.malformedChange, "A change is not in its canonical form or breaks a rule of form.", nil),
        (.limitExceeded, "A limit of the format is passed.", "see Protocol/limits.md; split the input"),
        (
            .badSignature, "A signature does not verify.",
            "the peer or its relay altered what it sent: compare `concord verify` on both"
        ),
        (.brokenChain, "A change does not follow the one before it.", "run `concord verify` on the sender"),
        (.malformedFrame, "A frame cannot be read.", "upgrade the older of the two nodes"),
        (.unexpectedMessage, "A message came when it makes no sense.", "upgrade the older of the two nodes"),
        (
            .protocolVersion, "The two nodes have no protocol level in common.",
            "upgrade the older of the two nodes"
        ),
        (
            .unknownReplica, "A chain begins without a certificate of a known authority.",
            "wait until the member's admission has arrived"
        ),
        (
            .equivocation, "One replica signed two different changes of one number.",
            "suspend it by written procedure; see `concord status`"
        ),
        (.missingDependency, "Changes wait for others that were not sent.", nil),
        (.peerPaused, "Exchange with this peer is paused.", "run `concord peer resume`"),
        (.duplicateConnection, "The two nodes are connected already.", nil),
        (.nothingInCommon, "The two nodes share no space.", "create or join a space; admit the other member"),
        (.peerSilent, "The peer has not answered in time.", "it is dialled again by itself"),
        (
            .connectionFailed, "The peer cannot be reached.",
            "check the address and the link; it is dialled again by itself"
        ),
        (
            .digestMismatch, "Two nodes hold the same changes but see different states.",
            "run `concord verify` on both and report it: this is a bug or tampering"
        ),
        (
            .ourReplicaElsewhere,
            "A peer knows changes of our own replica that we do not have: this database was restored or cloned.",
            "restore with `concord backup restore`, which takes a new replica id"
        ),
        (.badReceipt, "A receipt is not as it must be, or its signature does not verify.", nil),
        (
            .erasureMissing, "Values of a change are missing, and no erasure that is held orders it.",
            "exchange with other members: the values or the erasure come from them"
        ),
        (
            .blobMismatch, "Bytes of an attachment are not those that its name stands for.",
            "nothing of them was kept: the attachment is fetched from others"
        ),
        (
            .peersFull, "The peer has as many peers as it takes in a large network.",
            "nothing: the node connects with others by itself"
        ),
        (
            .proxyRefused, "The HTTP proxy on the way out does not make the connection.",
            "have the proxy allow CONNECT to the peer's host and port"
        ),
        (
            .proxyAuthentication, "The HTTP proxy on the way out does not accept the user and password.",
            "write user and password into `proxy` in concord.yaml, then restart the daemon"
        ),
        (
            .proxyUnusable,
            "The HTTP proxy on the way out cannot be reached, or does not answer as a proxy.",
            "check the address in `proxy` in concord.yaml"
        ),
    ]

    private static let bundles: [(ErrorCode, String, String?)] = [
        (
            .notABundle,
            "The file is not a bundle.",
            "give a file that `concord bundle export` made"
        ),
        (
            .truncatedBundle,
            "The bundle is shorter than it was when it was made.",
            "copy it once more from where it was made; nothing of it was taken"
        ),
        (
            .alteredBundle,
            "Bytes of the bundle are not those that its exporter signed or encrypted.",
            "copy it once more from where it was made; nothing of it was taken"
        ),
        (
            .bundleForOthers,
            "The bundle is not meant for this node.",
            "have it exported with --for this node's member, or with --to this node's agreement.pem"
        ),
        (
            .bundleOfUnknownSpace,
            "The bundle is of a space that is not held here.",
            "join the space with an invite first, then import the bundle"
        ),
        (
            .bundleExporterRefused,
            "The bundle was exported by a node that is not of a member in standing, as far as is known here.",
            "see `concord member list`; import bundles of other members first, which may bring its admission"
        ),
        (
            .newerBundle,
            "The bundle was made by a newer version.",
            "install that version or a later one"
        ),
        (
            .incompleteBundle,
            "Changes of the bundle build on others that are not here yet.",
            "import what the message names, then this again; what could be taken was taken"
        ),
        (
            .recipientUnknown,
            "No certificate is known to which a bundle for this recipient could be encrypted.",
            "exchange with it first, or give its agreement.pem with --to"
        ),
    ]

    private static let membership: [(ErrorCode, String, String?)] = [
        (.unknownSpace, "No such space is held here.", "see `concord space list`; create or join one"),
        (.malformedCharter, "A charter is not as it must be.", "see the message"),
        (
            .malformedAct, "A formal act is not as it must be, or its signature does not verify.",
            "see the message"
        ),
        (
            .malformedInvite, "An invite is not as it must be, or its signature does not verify.",
            "ask for the file again and compare fingerprints by another road"
        ),
        (
            .notInStanding,
            "This node's member is not a member in standing of the space, so it cannot write there.",
            "see `concord member list`"
        ),
        (
            .notYetAdmitted, "This node has not yet received its own admission, so it cannot write yet.",
            "connect to the inviting node: see `concord status`"
        ),
        (.alreadyMember, "The member is on the roster already.", "see `concord member list`"),
        (.unknownMember, "No such member is on the roster.", "see `concord member list`"),
        (.spaceExists, "The space is held here already.", "see `concord space list`"),
        (.ambiguousSpace, "Several spaces are held here.", "say which with --space"),
        (
            .wrongAuthority, "The authority's key is not the one that this node's member is known by.",
            "give the right --authority DIR"
        ),
        (.mayNotSign, "This member may not sign this act.", "see `concord member list`, which says who may"),
        (
            .actInForce, "The act is in force already, or bears this member's signature already.",
            "see `concord member list`"
        ),
        (
            .thresholdOutOfReach, "Fewer members may sign the act than must.",
            "admit members first; see `concord member list`"
        ),
        (
            .ambiguousMember, "What was typed fits several members or several acts.",
            "give the beginning of a fingerprint or of an act's hash instead"
        ),
    ]

    private static let replica: [(ErrorCode, String, String?)] = [
        (.storeFailure, "The database refused an operation.", "see the message; check the disk"),
        (
            .newerDatabase, "The database was written by a newer version.",
            "install that version or a later one"
        ),
        (
            .corruptDatabase, "The database is damaged.",
            "stop the daemon, then run `concord backup salvage`, which keeps the damaged file"
        ),
        (.diskFull, "The disk is full.", "make room; nothing was lost, a running daemon goes on by itself"),
        (.unwritableHome, "The home folder cannot be written.", "check its owner and permissions"),
        (
            .verificationFailed, "The log or the visible state does not verify.",
            "stop the daemon, then run `concord backup salvage --yes`, which keeps the file"
        ),
        (
            .notABackup, "The file is not a backup of a replica.",
            "give a file that `concord backup create` made"
        ),
        (
            .blobNotHeld, "The attachment's file is not on this node.",
            "fetch it with `concord attachment get DOCUMENT NAME`, which waits for it"
        ),
        (
            .damagedBlob, "An attachment's file was damaged on this node's disk.",
            "check the disk; the file was moved aside and is fetched again from other nodes"
        ),
        (
            .diskFailure, "The disk reports errors.",
            "check the disk and the system's log; a running daemon goes on by itself once it can write"
        ),
        (
            .reserveReached, "The disk is nearly full, and the rest is kept in reserve.",
            "make room; deleting and erasing still work, and the daemon goes on by itself"
        ),
        (
            .backupOverdue, "The last good backup is older than it should be.",
            "see `concord backup list` and the daemon's log; make one with `concord backup create FILE`"
        ),
        (
            .backupFailed, "A backup could not be made, or does not verify.",
            "see the message; make one with `concord backup create FILE`"
        ),
        (
            .salvagePending, "Salvaged changes wait for others that the damaged database had lost.",
            "connect to other members: what they hold completes the rest"
        ),
    ]

    private static let daemon: [(ErrorCode, String, String?)] = [
        (
            .unknownConfigurationKey, "The configuration has a key that is not known.",
            "correct or remove the key that the message names"
        ),
        (
            .malformedConfiguration, "The configuration cannot be read.",
            "correct the line that the message names"
        ),
        (
            .addressInUse, "The address to listen on is taken.",
            "stop the other program or change `listen` in concord.yaml"
        ),
        (.homeInUse, "Another daemon runs on this home.", "stop it first, or use another --home"),
        (.daemonUnreachable, "The daemon cannot be reached.", "start it with `concordd --home DIR`"),
        (.malformedRequest, "A request to the local API cannot be read.", "see Protocol/admin-api.yaml"),
        (.internalError, "An unexpected error happened.", "see the daemon's log and report it"),
        (.forbidden, "The caller may not do this.", "ask an administrator of this node"),
        (.badAddress, "An address is not of the form host:port.", "write it as host:port or [IPv6]:port"),
    ]
}
