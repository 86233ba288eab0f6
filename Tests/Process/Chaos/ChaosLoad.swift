// People who write on all nodes while things fail, and a ledger of what they were told is written. It is compared with
// what every node shows afterwards.

import ConcordAPI
import ConcordClient
import ConcordModel
import Foundation
import Synchronization

/// Writers at the nodes, one each.
final class ChaosLoad: Sendable {
    /// What was acknowledged, by the id of the meeting.
    private struct Ledger {
        /// The last city that was acknowledged, and those whose fate is not known, which were written later.
        var cities: [String: (acknowledged: String, unknown: [String])] = [:]
        var acknowledged = 0
        var refused: [String: Int] = [:]
    }

    private let ledger = Mutex(Ledger())
    private let isPaused = Mutex(false)
    /// Between two writes of one writer.
    private static let interval = Duration.milliseconds(40)
    private static let meetingsOfEach = 40

    var acknowledged: Int { ledger.withLock(\.acknowledged) }
    /// How often writing was refused, by code.
    var refusals: [String: Int] { ledger.withLock(\.refused) }

    /// Writes at a node until the task is cancelled.
    func write(at client: DaemonClient, as name: String) async {
        var own: [String] = []
        var number = 0
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            guard !isPaused.withLock({ $0 }) else { continue }
            number += 1
            let city = "\(name) \(number)"
            if own.count < Self.meetingsOfEach {
                if let id = await create(city, at: client) { own.append(id) }
            } else {
                await set(own[number % own.count], to: city, at: client)
            }
        }
    }

    private func create(_ city: String, at client: DaemonClient) async -> String? {
        do {
            var fields = FieldAssignments()
            fields.set = ["title": .string(city), "city": .string(city)]
            let id = try await client.create(kind: "meeting", space: nil, parent: nil, fields).document.id
            ledger.withLock { ledger in
                ledger.cities[id] = (city, [])
                ledger.acknowledged += 1
            }
            return id
        } catch {
            count(error)
            return nil
        }
    }

    private func set(_ id: String, to city: String, at client: DaemonClient) async {
        do {
            var fields = FieldAssignments()
            fields.set = ["city": .string(city)]
            _ = try await client.update(id, fields, base: nil)
            ledger.withLock { ledger in
                ledger.cities[id] = (city, [])
                ledger.acknowledged += 1
            }
        } catch {
            count(error)
            ledger.withLock { $0.cities[id]?.unknown.append(city) }
        }
    }

    private func count(_ error: any Error) {
        let code = (error as? ConcordError)?.code.rawValue ?? "\(error)"
        ledger.withLock { $0.refused[code, default: 0] += 1 }
    }

    /// Lets nobody begin to write.
    func pause() { isPaused.withLock { $0 = true } }

    func resume() { isPaused.withLock { $0 = false } }

    /// What of the ledger a node does not show, in words; empty if it shows all.
    func missing(at client: DaemonClient) async throws -> [String] {
        let shown = Dictionary(
            uniqueKeysWithValues: try await client.records(RecordFilter(kind: "meeting")).document.records.map
            {
                ($0.id, $0)
            })
        return ledger.withLock { ledger in
            ledger.cities.compactMap { id, entry in
                guard let record = shown[id] else { return "meeting \(id) is missing" }
                guard case .string(let city)? = record.fields["city"] else { return "\(id) has no city" }
                guard city == entry.acknowledged || entry.unknown.contains(city) else {
                    return "\(id) shows \(city), and not \(entry.acknowledged)"
                }
                return nil
            }
        }
    }
}
