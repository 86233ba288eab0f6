// Two texts side by side: the places where they differ, with the words on both sides and what both have in between.

import ConcordAPI
import ConcordText

/// Two texts, compared.
public struct TextComparison: Hashable, Sendable {
    /// A place where they differ, and what both have before it.
    public struct Place: Hashable, Sendable {
        /// What both have since the place before.
        public let common: String
        /// What the first has here and the second has not.
        public let deleted: String
        /// What the second has here and the first has not.
        public let inserted: String
        /// Where it begins in the second text, in Unicode scalars.
        public let position: Int
    }

    /// The places, in the order of the texts.
    public let places: [Place]
    /// What both have after the last of them.
    public let rest: String

    /// Compares two texts, word by word.
    public init(_ old: String, _ new: String) {
        let difference = TextDifference.runs(from: Array(old.utf8), to: Array(new.utf8))
        var (before, after) = (old.unicodeScalars[...], new.unicodeScalars[...])
        var places: [Place] = []
        var position: UInt64 = 0
        for run in difference.runs {
            // A run's place counts in the text as the runs before it left it: so far, that is the second text.
            let common = after.take(run.position - position)
            _ = before.take(run.position - position)
            places.append(
                Place(
                    common: common, deleted: before.take(run.deleted), inserted: after.take(run.inserted),
                    position: Int(run.position)))
            position = run.position + run.inserted
        }
        self.places = places
        rest = String(after)
    }
}

extension TextDifferenceDocument {
    /// What turns one text of a record into another.
    public init(id: String, from old: TextDocument, to new: TextDocument) {
        let runs = TextComparison(old.text, new.text).places.map { place in
            Run(position: Int64(place.position), deleted: place.deleted, inserted: place.inserted)
        }
        self.init(id: id, from: old.version, to: new.version, runs: runs)
    }
}

extension Substring.UnicodeScalarView {
    /// Takes this many scalars off the front.
    fileprivate mutating func take(_ count: UInt64) -> String {
        let end = index(startIndex, offsetBy: Int(count), limitedBy: endIndex) ?? endIndex
        defer { self = self[end...] }
        return String(self[..<end])
    }
}
