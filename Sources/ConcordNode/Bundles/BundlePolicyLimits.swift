// What a node keeps of bundles while it makes them and takes them in. Own choices; they bind nobody else.

/// Limits of a node's work on bundles.
public enum BundlePolicyLimits {
    /// Bytes of a bundle that are in memory at once.
    public static let readBytes = 256 << 10
    /// Exports that wait to be fetched.
    public static let keptExports = 4
    /// How long an export waits for somebody to ask for the next piece of it.
    public static let keptFor = Duration.seconds(3600)
    /// Without a question for a piece, after which an export is not taken to be on its way any more.
    public static let fetchPause = Duration.seconds(60)
}
