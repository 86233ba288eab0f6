// What the store says of texts that merge.

import ConcordCrypto
import ConcordModel

/// A text at some version.
public struct StoredText: Hashable, Sendable {
    /// The record.
    public let record: RecordID
    /// The field.
    public let field: UTF8Text
    /// The version, as people write it: `0` for the text before all edits.
    public let version: String
    /// What people see; nothing stands for erased passages.
    public let text: String
    /// The SHA-256 of ``text``.
    public let hash: Digest
    /// The Unicode scalars of ``text``.
    public let scalars: Int
}

/// Who wrote which part of a text, and all edits that led to it.
public struct StoredTextHistory: Hashable, Sendable {
    /// Who made an edit, and when.
    public struct Author: Hashable, Sendable {
        /// The code of the member.
        public let member: String
        /// The name of the node.
        public let node: String
        /// The person, as the node knows it.
        public let label: String
        /// When, in milliseconds since 1970 by the author's clock.
        public let at: Int64
    }

    /// Consecutive characters that one edit brought.
    public struct Passage: Hashable, Sendable {
        /// The characters.
        public let text: String
        /// How many Unicode scalars that is.
        public let scalars: Int
        /// The edit: the first digits of the hash of its change.
        public let version: String
        /// The change.
        public let dot: Dot
        /// Who wrote it.
        public let author: Author
    }

    /// An edit.
    public struct Edit: Hashable, Sendable {
        /// The first digits of the hash of its change: the version of whoever had this edit and what it follows.
        public let version: String
        /// The change.
        public let dot: Dot
        /// Who made it.
        public let author: Author
        /// How many Unicode scalars it inserts.
        public let inserted: Int
        /// How many it deletes.
        public let deleted: Int
        /// Whether its author had not seen an edit that stands before it in the list: the two were made apart.
        public let isConcurrent: Bool
        /// Whether it has no effect, because it reaches beyond the text as its author had it.
        public let isInert: Bool
        /// Whether what it inserted was erased.
        public let isErased: Bool
    }

    /// The record.
    public let record: RecordID
    /// The field.
    public let field: UTF8Text
    /// The version, as people write it.
    public let version: String
    /// The parts of the text in order: together they are the text. Erased passages are left out.
    public let passages: [Passage]
    /// The edits that the version contains, in the order in which they came here.
    public let edits: [Edit]
}
