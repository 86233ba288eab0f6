// Writes the files of an identity, always into a folder that is not yet, or no more, the home's identity: it takes
// its place whole.

import ConcordCrypto
import ConcordModel
import Glibc

extension NodeHome.IdentityFiles {
    /// Writes a key for its owner alone, encrypted if there is a passphrase.
    func write(_ role: KeyRole, _ key: PrivateKey, passphrase: [UInt8]?) throws {
        let text = try ConcordError.mappingCrypto(self.key(role)) { try key.pem(passphrase: passphrase) }
        try put(self.key(role), text, 0o600)
    }

    /// Writes the certificates.
    func write(_ certificates: NodeCertificates) throws {
        let files: [(String, Certificate?)] = [
            (nodeCertificate, certificates.node), (agreementCertificate, certificates.agreement),
            (authorityCertificate, certificates.authority), (foundingCertificate, certificates.founding),
        ]
        for case (let path, let certificate?) in files {
            try put(path, try ConcordError.mappingCrypto(path) { try certificate.pem() }, 0o644)
        }
        try FileSystem.synchronize(folder: folder, failure: .unwritableHome)
    }

    /// Puts the keys of another folder, as far as it holds any, under the same names here too: no key is ever
    /// copied.
    func adoptKeys(of other: Self) throws {
        for role in KeyRole.allCases where FileSystem.exists(other.key(role)) {
            guard link(other.key(role), key(role)) == 0 else {
                throw FileSystem.refusal(.unwritableHome, "\(key(role)) cannot be made")
            }
        }
    }

    /// Takes the folder and its files away.
    func remove() {
        for file in all { unlink(file) }
        rmdir(folder)
    }

    private func put(_ path: String, _ text: String, _ mode: mode_t) throws {
        try FileSystem.create(path, bytes: Array(text.utf8), mode: mode, failure: .unwritableHome)
    }
}
