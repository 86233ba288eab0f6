// Errors: the catalogue is complete, and codes and sentences keep to their form.

import ConcordModel
import Testing

@Suite("Errors")
struct ErrorTests {
    @Test("every code has a summary that is a sentence, and a next step that is a clause")
    func catalogue() {
        for code in ErrorCode.allCases {
            #expect(code.rawValue.wholeMatch(of: /E-[1-6][0-9]{3}/) != nil, "\(code)")
            #expect(
                code.entry.summary.last == "." && code.entry.summary.first?.isUppercase == true, "\(code)")
            if let action = code.entry.action {
                #expect(
                    action.last != "." && action.first?.isUppercase == false && !action.isEmpty, "\(code)")
            }
        }
        #expect(Set(ErrorCode.allCases.map(\.entry.summary)).count == ErrorCode.allCases.count)
    }

    @Test("codes are given out in rising order within their thousand")
    func ascending() {
        let codes = ErrorCode.allCases.map(\.rawValue)
        #expect(codes == codes.sorted())
    }

    @Test("an error says code, sentence and next step in one line")
    func description() {
        #expect(ConcordError(.malformedChange, "m").description == "E-3001: m")
        #expect(ConcordError(.usage, "m").description == "E-1001: m. Next: see `concord help`")
        #expect(ConcordError(.usage, "m", action: "a").description == "E-1001: m. Next: a")
    }

    @Test("the vocabulary names each kind and field once, and what is required or a title is there")
    func vocabulary() {
        #expect(Set(Vocabulary.kinds.map(\.name)).count == Vocabulary.kinds.count)
        for kind in Vocabulary.kinds {
            #expect(Set(kind.fields.map(\.name)).count == kind.fields.count, "\(kind.name)")
            #expect(kind.field(kind.titleField) != nil, "\(kind.name)")
            #expect(
                kind.fields.allSatisfy {
                    $0.name.byteCount <= Limits.nameBytes && !($0.isSet && $0.isRequired)
                })
            if let parent = kind.parent { #expect(Vocabulary.kind(parent) != nil) }
            #expect(Vocabulary.kind(kind.name) == kind && Vocabulary.isOwned(kind.name) == kind.isOwned)
        }
        #expect(Vocabulary.kind("nothing") == nil)
        #expect(Vocabulary.kinds.filter(\.isOwned).map(\.name) == ["member", "contact"])
    }
}
