import ConcordModel
import Testing

/// Expects that `work` throws a ConcordError of this code, and gives it for a closer look.
@discardableResult
func expectError<Result>(
    _ code: ErrorCode, sourceLocation: SourceLocation = #_sourceLocation, _ work: () async throws -> Result
) async -> ConcordError? {
    do {
        _ = try await work()
        Issue.record("\(code.rawValue) was expected, nothing was thrown", sourceLocation: sourceLocation)
    } catch let error as ConcordError {
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
        return error
    } catch {
        Issue.record(error, sourceLocation: sourceLocation)
    }
    return nil
}
