// Operations name dots by real replica ids; the store's bookkeeping is by the names of chains. The two differ for
// replicas that signed two changes of one number, and for no other.

import ConcordModel

extension Operation {
    /// The operation with the dots that it names put differently.
    func renamed(_ dots: ([Dot]) -> [Dot], _ vector: (VersionVector) -> VersionVector) -> Operation {
        switch self {
        case .set(let field, let value, let names):
            .set(field: field, value: value, replacing: dots(names))
        case .add(let field, let element, let names):
            .add(field: field, element: element, replacing: dots(names))
        case .remove(let field, let element, let names):
            .remove(field: field, element: element, replacing: dots(names))
        case .edit(let field, let parents, let runs, let inserted):
            .edit(field: field, parents: dots(parents), runs: runs, inserted: inserted)
        case .delete(let seen): .delete(seen: vector(seen))
        case .restore(let deletes): .restore(deletes: dots(deletes))
        case .erase(let changes, let reason): .erase(changes: dots(changes), reason: reason)
        case .create, .act, .bind, .unknown: self
        }
    }

    /// The operation by the names of chains: where a replica has branches, a dot stands for what bears it on each; which
    /// of them counts, the past says (rule B5).
    func named(in space: SpaceMemory) -> Operation {
        guard !space.forks.isEmpty else { return self }
        return renamed({ $0.flatMap(space.names(of:)).sorted() }, space.names(of:))
    }

    /// The operation as it is written: by real replica ids.
    func real(in space: SpaceMemory) -> Operation {
        guard !space.forks.isEmpty else { return self }
        return renamed({ Set($0.map(space.real)).sorted() }, space.real)
    }
}
