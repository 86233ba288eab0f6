// The digest term of a record: what two replicas compare to know that they see the same. It is independent of the
// order of arrival, of which value is displayed, and of everything local (section E of the model).

import CBOR
import ConcordCrypto

extension RecordState {
    /// SHA-256 of the deterministic CBOR of `[id, parent, live, [open deletes], [registers], [sets], [texts]]`, where a
    /// register is `[field, [[replica, sequence, value]…]]` ascending by dot, a set `[field, [[element, [add dots]]…]]`,
    /// and a text `[field, hash]`.
    ///
    /// - Parameter isLive: whether the record is live, which its descendants have a say in.
    public func digestTerm(isLive: Bool) -> Digest {
        var writer = CBORWriter(capacity: 1024)
        writer.array(7)
        writer.record(id)
        if let parent { writer.record(parent) } else { writer.byteString([]) }
        writer.unsigned(isLive ? 1 : 0)
        writer.dots(openDeletes)
        writer.array(registers.count)
        for register in registers {
            writer.array(2)
            writer.text(register.field.string)
            writer.array(1 + register.others.count)
            if !register.isInConflict {
                Self.write(register.shown, to: &writer)
            } else {
                for value in register.values.sorted(by: { $0.dot < $1.dot }) {
                    Self.write(value, to: &writer)
                }
            }
        }
        writer.array(sets.count)
        for set in sets {
            writer.array(2)
            writer.text(set.field.string)
            writer.array(set.elements.count)
            for element in set.elements {
                writer.array(2)
                writer.value(element.element)
                writer.dots(element.adds)
            }
        }
        writer.array(texts.count)
        for text in texts {
            writer.array(2)
            writer.text(text.field.string)
            writer.digest(text.hash)
        }
        return SHA256.hash(writer.bytes)
    }

    /// Names the state of the record for people and for optimistic writes: the first 16 digits of the digest term.
    public func version(isLive: Bool) -> String {
        hexadecimal(digestTerm(isLive: isLive).bytes.prefix(8))
    }

    private static func write(_ value: RegisterValue, to writer: inout CBORWriter) {
        writer.array(3)
        writer.byteString(high: value.dot.replica.value.high, low: value.dot.replica.value.low)
        writer.unsigned(value.dot.sequence)
        writer.value(value.value)
    }
}

extension CBORWriter {
    /// Writes a record id as a byte string of 16 bytes.
    mutating func record(_ id: RecordID) { byteString(high: id.value.high, low: id.value.low) }
}
