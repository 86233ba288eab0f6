// The chapters name, for each norm, the files that write and read it. A file that moved must take its name along.

import Foundation
import Testing

@Suite("The chapters' references to the sources")
struct SourceReferenceTests {
    @Test("name files that exist")
    func filesExist() throws {
        for name in try Chapter.names() {
            for match in try Chapter.text(name).matches(of: /`([A-Za-z]+\/[A-Za-z0-9+\/._-]*\.swift)`/) {
                let path = String(match.output.1)
                let candidates = [path, "Sources/\(path)"]
                #expect(
                    candidates.contains { (try? Chapter.file($0)) != nil }, "Protocol/\(name) names \(path)")
            }
        }
    }
}
