// What a person should know of attachments: that they do not fit on the disk, or are still to come.

import ConcordAPI
import ConcordModel

extension AttachmentKeeper {
    /// Lines for the status, the worst first.
    func attention() -> [StatusDocument.Attention] {
        var lines: [StatusDocument.Attention] = []
        let stuck = missing.compactMap { obstacles[$0.blob] }
        if let first = stuck.first {
            let count = stuck.count == 1 ? "1 attachment" : "\(stuck.count) attachments"
            lines.append(
                .init(
                    code: first.code.rawValue, severity: .person, member: nil,
                    message: "\(count) cannot be stored: \(first.message)",
                    action: "concord explain \(first.code.rawValue)"))
        }
        let coming = missing.filter { obstacles[$0.blob] == nil }
        if !coming.isEmpty {
            let count = coming.count == 1 ? "1 attachment is" : "\(coming.count) attachments are"
            let bytes = coming.reduce(0) { $0 + $1.size }
            lines.append(
                .init(
                    code: ErrorCode.blobNotHeld.rawValue, severity: .notice, member: nil,
                    message: "\(count) still to come, \(bytes >> 20) MiB in all",
                    action: "concord explain \(ErrorCode.blobNotHeld.rawValue)"))
        }
        return lines
    }
}
