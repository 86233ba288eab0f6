// The limits of a change that follow from its parts. The decoder enforces the same while it reads; here they are
// checked before a change is written, so that nobody makes what everybody else would refuse. Only the size of the
// encoding is left to whoever encodes.

extension Change {
    /// Throws E-3002 if a part is beyond its limit.
    func checkLimits() throws {
        guard timestamp >= 0, timestamp <= Limits.timestamp else {
            throw ConcordError(.limitExceeded, "the timestamp \(timestamp) is out of range")
        }
        try limit("operations in a change", operationCount, Limits.changeOperations)
        try limit("dependencies of a change", dependencies.count, Limits.dependencies)
        try limit("bytes of an author's label", authorLabel.byteCount, Limits.authorLabelBytes)
        var claimed: UInt64 = 0
        for entry in entries {
            for operation in entry.operations {
                try operation.checkLimits()
                claimed += operation.insertedScalars
            }
        }
        // A scalar has a byte at least: what was erased can claim no more than could ever have been there.
        try limit("scalars that a change inserts", Int(clamping: claimed), Limits.changeBytes)
    }
}

extension Operation {
    /// How many scalars of a text the operation inserts, as it says.
    fileprivate var insertedScalars: UInt64 {
        guard case .edit(_, _, let runs, _) = self else { return 0 }
        return runs.reduce(0) { $0 + $1.inserted }
    }

    fileprivate func checkLimits() throws {
        switch self {
        case .create(let kind, _):
            try limit("bytes of a name", kind.byteCount, Limits.nameBytes)
        case .set(let field, let value, let names), .add(let field, let value, let names),
            .remove(let field, let value, let names):
            try limit("bytes of a name", field.byteCount, Limits.nameBytes)
            try limit("bytes of a value", value.byteCount, Limits.valueBytes)
            try limit("named dots", names.count, Limits.namedDots)
        case .edit(let field, let parents, let runs, let inserted):
            try limit("bytes of a name", field.byteCount, Limits.nameBytes)
            try limit("named dots", parents.count, Limits.namedDots)
            try limit("runs of an edit", runs.count, Limits.textRuns)
            for run in runs {
                let longest = max(run.deleted, run.inserted)
                try limit("scalars of a run", Int(clamping: longest), Limits.textScalars)
                try limit("the position of a run", Int(clamping: run.position), Limits.textClaimed)
            }
            try limit("bytes of an edit", inserted?.byteCount ?? 0, Limits.changeBytes)
        case .delete(let seen):
            try limit("entries of a version vector", seen.elements.count, Limits.versionVectorEntries)
        case .restore(let names):
            try limit("named dots", names.count, Limits.namedDots)
        case .erase(let names, let reason):
            try limit("named dots", names.count, Limits.namedDots)
            try limit("bytes of a reason", reason.byteCount, Limits.reasonBytes)
        case .act(let signed):
            try limit("bytes of an act", signed.act.count, Limits.actBytes)
        case .bind(let binding):
            try limit("bytes of a certificate", binding.certificate.count, Limits.certificateBytes)
        case .unknown:
            break
        }
    }
}

extension Value {
    /// The bytes of a byte string or text; 0 for an integer, whose size is bounded by its type, and for what is gone.
    fileprivate var byteCount: Int {
        switch self {
        case .integer, .erased: 0
        case .bytes(let bytes): bytes.count
        case .text(let text): text.byteCount
        }
    }
}

extension [Dot] {
    /// Whether the dots are ascending and none is there twice.
    var isAscending: Bool { zip(self, dropFirst()).allSatisfy { $0 < $1 } }
}

private func limit(_ what: String, _ count: Int, _ maximum: Int) throws {
    guard count <= maximum else {
        throw ConcordError(.limitExceeded, "\(what): \(count), of which \(maximum) are allowed")
    }
}
