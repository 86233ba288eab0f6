// From whom a simulated node takes what: the real intake, told of the effects of all its sessions.

import ConcordModel
import ConcordSync

extension Simulation {
    /// The number by which a node's intake knows one side of a connection.
    static func number(_ id: Int, _ side: Int) -> Int { 2 * id + side }

    /// Hands on what a node's intake decided, and sees to it that it learns when time has passed.
    mutating func carryOut(_ instructions: [NodeIntake.Instruction], at node: Int) throws {
        for instruction in instructions {
            try feed(instruction.link / 2, instruction.link % 2, instruction.input)
        }
        guard let deadline = nodes[node].intake.deadline, deadline < nodes[node].intakeTickAt else { return }
        nodes[node].intakeTickAt = deadline
        queue.add(.intake(node: node), at: max(now, deadline))
    }

    mutating func tickIntake(_ node: Int) throws {
        guard nodes[node].pausedUntil <= now else {
            return queue.add(.intake(node: node), at: nodes[node].pausedUntil)
        }
        guard nodes[node].intakeTickAt <= now else { return }
        nodes[node].intakeTickAt = .max
        try carryOut(nodes[node].intake.tick(now: now), at: node)
    }
}
