// Where the node's sessions meet to decide from whom it takes what (ConcordSync, NodeIntake). Each session asks here
// while it handles an input, and has the answer before it goes on; what concerns others is handed to them.

import ConcordModel
import ConcordSync
import Synchronization

/// The node's intake, shared by its sessions.
final class IntakeDesk: Sendable {
    fileprivate struct State {
        var intake = NodeIntake()
        var drivers: [Int: SessionDriver] = [:]
        /// Bytes and whole frames that had come in each session when that was last looked at.
        var received: [Int: (bytes: UInt64, frames: Int)] = [:]
        var next = 1
        var timer: (deadline: Milliseconds, task: Task<Void, Never>)?
    }

    private let state = Mutex(State())
    private let origin = ContinuousClock.now

    /// A session begins.
    ///
    /// - Returns: its number.
    func open(_ driver: SessionDriver) -> Int {
        state.withLock { state in
            defer { state.next += 1 }
            state.drivers[state.next] = driver
            return state.next
        }
    }

    /// A session is over.
    func close(_ link: Int) {
        handOn { state, now in
            state.drivers[link] = nil
            state.received[link] = nil
            return state.intake.close(link, now: now)
        }
    }

    /// Learns what a session asks for.
    ///
    /// - Returns: what it is to be told, before anything else.
    func handle(_ effect: SessionEffect, of link: Int) -> [SessionInput] {
        switch effect {
        case .intake, .peerHello, .end: break
        default: return []
        }
        return handOn(for: link) { state, now in state.intake.handle(effect, of: link, now: now) }
    }

    @discardableResult
    private func handOn(
        for link: Int? = nil, _ body: (inout State, Milliseconds) -> [NodeIntake.Instruction]
    ) -> [SessionInput] {
        state.withLock { state in
            var own: [SessionInput] = []
            for instruction in body(&state, now) {
                if instruction.link == link {
                    own.append(instruction.input)
                } else {
                    state.drivers[instruction.link]?.submit(instruction.input)
                }
            }
            setTimer(&state)
            return own
        }
    }

    private func setTimer(_ state: inout State) {
        let deadline = state.intake.deadline
        guard deadline != state.timer?.deadline else { return }
        state.timer?.task.cancel()
        state.timer = deadline.map { deadline in
            let delay = max(0, deadline - now)
            let task = Task { [weak self] in
                guard (try? await Task.sleep(for: .milliseconds(delay))) != nil else { return }
                self?.tick(deadline)
            }
            return (deadline, task)
        }
    }

    private func tick(_ deadline: Milliseconds) {
        handOn { state, now in
            if state.timer?.deadline == deadline { state.timer = nil }
            return state.intake.tick(now: now, moving: state.moving())
        }
    }

    private var now: Milliseconds {
        let elapsed = (ContinuousClock.now - origin).components
        return elapsed.seconds * 1000 + elapsed.attoseconds / 1_000_000_000_000_000
    }
}

extension IntakeDesk.State {
    /// The sessions in which bytes came since this was asked last, but no whole frame: in the middle of a long one. Of whole
    /// ones the session tells what matters.
    fileprivate mutating func moving() -> Set<Int> {
        var moving: Set<Int> = []
        for (link, driver) in drivers {
            let present = (bytes: driver.connection.bytesReceived, frames: driver.wholeFrames)
            guard let before = received.updateValue(present, forKey: link) else { continue }
            if present.bytes > before.bytes, present.frames == before.frames { moving.insert(link) }
        }
        return moving
    }
}
