// The records that people mean when they type the beginning of an id.

import ConcordModel
import Foundation
import GRDB

/// The records of which the ids begin alike, as a condition on the tables of ``RecordReader/source``.
struct RecordRange {
    /// Two rows tell whether there is only one.
    let condition: String
    let arguments: StatementArguments

    /// - Parameter space: the row of the only space that is looked through; nil for all.
    /// - Returns: nil if no id begins like this.
    init?(idPrefix: String, space: Int64?) {
        let digits = idPrefix.filter { $0 != "-" }.lowercased()
        guard !digits.isEmpty, digits.utf8.count <= 32, digits.utf8.allSatisfy(Self.isHexadecimal) else {
            return nil
        }
        let low = bytes(hexadecimal: digits.padding(toLength: 32, withPad: "0", startingAt: 0)) ?? []
        let high = bytes(hexadecimal: digits.padding(toLength: 32, withPad: "f", startingAt: 0)) ?? []
        // The plus keeps SQLite from taking an index that begins with the space: it would read all its records.
        let inSpace = space == nil ? "" : " AND +record.space = ?"
        condition = "record.uid BETWEEN ? AND ?\(inSpace) ORDER BY record.uid LIMIT 2"
        arguments = [Data(low), Data(high)] + (space.map { [$0] } ?? [])
    }

    private static func isHexadecimal(_ digit: UInt8) -> Bool {
        (0x30...0x39).contains(digit) || (0x61...0x66).contains(digit)
    }
}
