// What a node keeps of bundles while it makes them and takes them in. Own choices; they bind nobody else.

/// Limits of a node's work on bundles.
public enum BundlePolicyLimits {
    /// Bytes of a bundle that are in memory at once.
    public static let readBytes = 256 << 10
    /// Exports that wait to be fetched.
    public static let keptExports = 4
    /// How long an export waits to be fetched.
    public static let keptFor = Duration.seconds(3600)
}
