// A change that may be appended: decoded, well-formed, linked to its predecessor and dependencies by hash,
// and covered by a signature of its chain's node.

import ConcordCrypto
import ConcordModel

/// A change, verified or just written here.
struct VerifiedChange: Sendable {
    let dot: Dot
    let change: Change
    /// The stored form.
    let bytes: [UInt8]
    let hash: Digest
    /// The node's signature, on the last change of each run.
    let signature: Signature?
    /// Whose chain it is, on the first change of each chain.
    let binding: Binding?
}
