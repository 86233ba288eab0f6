// Every limit of the format stands here, enforced where a change is made and where it is received, and mirrored by
// the chapter Protocol/limits.md.

/// The limits of `concord/0`.
public enum Limits {
    /// Bytes of a change in its stored form.
    public static let changeBytes = 256 << 10
    /// Bytes by which the hashes in the stored form of an erased change may pass ``changeBytes``.
    public static let erasedPartsBytes = 36 << 10
    /// Operations of a change, all entries together.
    public static let changeOperations = 1024
    /// Bytes of a register's value or of a set's element.
    public static let valueBytes = 16 << 10
    /// Unicode scalars of a mergeable text; no number of a run may pass it.
    public static let textScalars = 4 << 20
    /// Unicode scalars that all edits of a text insert together; a text with more is not merged.
    public static let textClaimed = 32 << 20
    /// Runs of one edit of a text.
    public static let textRuns = 1024
    /// Nesting of arrays in foreign input.
    public static let nesting = 16
    /// Dependencies of a change; a writer whose frontier is wider merges first.
    public static let dependencies = 64
    /// Dots named by one operation.
    public static let namedDots = 4096
    /// Entries of a version vector in foreign input.
    public static let versionVectorEntries = 16_384
    /// Bytes of the name of a field or kind.
    public static let nameBytes = 64
    /// Bytes of the label of the person who made a change.
    public static let authorLabelBytes = 256
    /// Bytes of the reason that an act or an erasure gives.
    public static let reasonBytes = 1024
    /// Bytes of an act.
    public static let actBytes = 64 << 10
    /// Bytes of a certificate in DER.
    public static let certificateBytes = 16 << 10
    /// Bytes that may follow one signature's predecessor: the author signs at least this often.
    public static let signedRunBytes = 32 << 10
    /// Bytes of the changes of one run, also of one that was joined from several.
    public static let runBytes = 256 << 10
    /// Bytes of one frame on the wire.
    public static let frameBytes = 1 << 20
    /// Founders of a space.
    public static let founders = 512
    /// The latest timestamp, in milliseconds since 1970: what fits in a UUID of version 7.
    public static let timestamp: Int64 = (1 << 48) - 1
}
