// How an operation changes a record (rules B5 and D1 to D4). A dot that an operation names counts only if it lies in
// the causal past of the operation's change; so an operation never touches what was done concurrently, and concurrent
// operations may be applied in either order.

extension RecordState {
    /// Applies an allowed operation of an effective change.
    ///
    /// Each operation is to be applied once, after everything in its past; any such order gives the same state. The
    /// record's `create` was applied by the initializer; operations that have no effect at this level are ignored. An
    /// edit touches the record, whatever becomes of it; what it makes of the text is for ``set(_:)`` to say.
    ///
    /// - Parameters:
    ///   - past: the causal past of the operation's change, which also says the change's dot.
    ///   - timestamp: the change's timestamp.
    public mutating func apply(_ operation: Operation, past: CausalPast, timestamp: Int64) {
        switch operation {
        case .set(let field, let value, let replacing):
            set(field, RegisterValue(dot: past.dot, timestamp: timestamp, value: value), replacing, past)
        case .add(let field, .erased, let replacing), .remove(let field, .erased, let replacing):
            takeOut(field, replacing, past)
        case .add(let field, let element, let replacing):
            add(field, element, replacing, past)
        case .remove(let field, let element, let replacing):
            remove(field, element, replacing, past)
        case .edit:
            break
        case .delete(let seen):
            for element in seen.elements { cover(element, past) }
            openDeletes.insertAscending(past.dot)
        case .restore(let deletes):
            openDeletes.remove(deletes, in: past)
        case .create, .act, .bind, .erase, .unknown:
            return
        }
        if case .delete = operation {} else { touched.raise(past.dot.replica, to: past.dot.sequence) }
        updatedAt = max(updatedAt, timestamp)
    }

    private mutating func set(_ field: UTF8Text, _ new: RegisterValue, _ replacing: [Dot], _ past: CausalPast)
    {
        let index = registers.firstIndex(notBefore: field, by: \.field)
        guard index < registers.count, registers[index].field == field else {
            registers.insert(Register(field: field, shown: new), at: index)
            return
        }
        registers[index].write(new) { replacing.names($0.dot, in: past) }
    }

    private mutating func add(_ field: UTF8Text, _ element: Value, _ replacing: [Dot], _ past: CausalPast) {
        let index = sets.firstIndex(notBefore: field, by: \.field)
        guard index < sets.count, sets[index].field == field else {
            let only = SetElement(element: element, adds: [past.dot])
            sets.insert(ElementSet(field: field, elements: [only]), at: index)
            return
        }
        let place = sets[index].elements.firstIndex(notBefore: element, by: \.element)
        guard place < sets[index].elements.count, sets[index].elements[place].element == element else {
            sets[index].elements.insert(SetElement(element: element, adds: [past.dot]), at: place)
            return
        }
        sets[index].elements[place].adds.remove(replacing, in: past)
        sets[index].elements[place].adds.insertAscending(past.dot)
    }

    private mutating func remove(_ field: UTF8Text, _ element: Value, _ replacing: [Dot], _ past: CausalPast)
    {
        let index = sets.firstIndex(notBefore: field, by: \.field)
        guard index < sets.count, sets[index].field == field else { return }
        let place = sets[index].elements.firstIndex(notBefore: element, by: \.element)
        guard place < sets[index].elements.count, sets[index].elements[place].element == element else {
            return
        }
        sets[index].elements[place].adds.remove(replacing, in: past)
        guard sets[index].elements[place].adds.isEmpty else { return }
        sets[index].elements.remove(at: place)
        if sets[index].elements.isEmpty { sets.remove(at: index) }
    }

    /// What is left of an add or remove whose element was erased (rule D8). The element that it added is not there any
    /// more. Which one it took out or replaced is not known either: so all elements lose the adds that it names, lest
    /// one come back.
    private mutating func takeOut(_ field: UTF8Text, _ replacing: [Dot], _ past: CausalPast) {
        let index = sets.firstIndex(notBefore: field, by: \.field)
        guard index < sets.count, sets[index].field == field else { return }
        for place in sets[index].elements.indices {
            sets[index].elements[place].adds.remove(replacing, in: past)
        }
        sets[index].elements.removeAll { $0.adds.isEmpty }
        if sets[index].elements.isEmpty { sets.remove(at: index) }
    }

    /// Counts as covered what a delete says to have seen, but no more than its past holds.
    private mutating func cover(_ seen: VersionVector.Element, _ past: CausalPast) {
        let known = seen.replica == past.dot.replica ? past.dot.sequence - 1 : past.others[seen.replica]
        covered.raise(seen.replica, to: min(seen.sequence, known))
    }
}

extension RecordState.RegisterValue {
    /// Whether this value goes before the other in the order of display: the latest first.
    func isDisplayed(before other: Self) -> Bool {
        (timestamp, dot.replica, dot.sequence) > (other.timestamp, other.dot.replica, other.dot.sequence)
    }
}

extension [Dot] {
    /// Whether these names, which are ascending, hold `dot` and it lies in the past of who names it (rule B5).
    fileprivate func names(_ dot: Dot, in past: CausalPast) -> Bool {
        let index = firstIndex(notBefore: dot) { $0 }
        return index < count && self[index] == dot && past.contains(dot)
    }

    /// Removes what is named by `names` within `past`.
    fileprivate mutating func remove(_ names: [Dot], in past: CausalPast) {
        if !names.isEmpty { removeAll { names.names($0, in: past) } }
    }

    fileprivate mutating func insertAscending(_ dot: Dot) {
        if let last, last > dot {
            insert(dot, at: firstIndex(notBefore: dot) { $0 })
        } else {
            append(dot)
        }
    }
}
