// Whom a certificate or a request names: a member by name and code, and one of its keys by a name of its own. All
// three are shown to people, so they are bounded and free of what could move the cursor of a terminal.

import COpenSSL

/// Whom a certificate names.
public struct CertificateSubject: Hashable, Sendable {
    /// The member's code, for example `ESP` (organizational unit, OU).
    public let memberCode: String
    /// The member's name (organization, O).
    public let memberName: String
    /// The authority's or node's own name (common name, CN).
    public let commonName: String

    /// A subject of these parts.
    public init(memberCode: String, memberName: String, commonName: String) {
        self.memberCode = memberCode
        self.memberName = memberName
        self.commonName = commonName
    }
}

extension CertificateSubject {
    /// Reads OU, O and CN, each of which must be there once. Other parts are let be.
    ///
    /// - Parameters:
    ///   - name: OpenSSL's X509_NAME.
    ///   - noun: What bears the subject, for messages.
    ///   - code: What is thrown if the subject is not as it must be.
    init(name: OpaquePointer?, of noun: String, failure code: CryptoError.Code) throws {
        guard let name else { throw CryptoError(code, "The \(noun) has no subject.") }
        func part(_ identifier: Int32, _ label: String) throws -> String {
            let position = X509_NAME_get_index_by_NID(name, identifier, -1)
            guard position >= 0, X509_NAME_get_index_by_NID(name, identifier, position) < 0,
                let entry = X509_NAME_get_entry(name, position), let data = X509_NAME_ENTRY_get_data(entry)
            else { throw CryptoError(code, "The \(noun)'s subject must have \(label) exactly once.") }
            guard let bytes = try? OpenSSL.encoded({ ASN1_STRING_to_UTF8($0, data) }),
                let text = String(validating: bytes, as: UTF8.self), Self.isPresentable(text)
            else {
                throw CryptoError(
                    code, "The \(noun)'s \(label) is empty, too long or holds control characters.")
            }
            return text
        }
        self.init(
            memberCode: try part(NID_organizationalUnitName, "OU"),
            memberName: try part(NID_organizationName, "O"),
            commonName: try part(NID_commonName, "CN"))
    }

    /// Writes O, OU and CN, in this order, each in an RDN of its own as UTF8String.
    ///
    /// - Parameter name: OpenSSL's X509_NAME, empty so far.
    /// - Throws: ``CryptoError`` with code `.cannotIssue` for a part that ``isPresentable(_:)`` refuses.
    func write(to name: OpaquePointer?) throws {
        guard let name else { throw CryptoError(.library, "OpenSSL gave no subject to fill in.") }
        let parts = [
            (NID_organizationName, "organization", memberName),
            (NID_organizationalUnitName, "code", memberCode),
            (NID_commonName, "common name", commonName),
        ]
        let limit = CryptoLimits.subjectCharacters
        for (identifier, label, text) in parts {
            guard Self.isPresentable(text) else {
                throw CryptoError(
                    .cannotIssue,
                    "The \(label) must have 1 to \(limit) characters, none of them a control character.")
            }
            let bytes = Array(text.utf8)
            let status = X509_NAME_add_entry_by_NID(
                name, identifier, Int32(V_ASN1_UTF8STRING), bytes, Int32(bytes.count), -1, 0)
            guard status == 1 else {
                throw CryptoError(.library, "OpenSSL could not set the subject's \(label).")
            }
        }
    }

    /// Whether a part of a subject has 1 to 64 characters, none of them a control character: what is shown to
    /// people must not move the cursor of their terminal.
    static func isPresentable(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        return (1...CryptoLimits.subjectCharacters).contains(scalars.count)
            && !scalars.contains { $0.properties.generalCategory == .control }
    }
}
