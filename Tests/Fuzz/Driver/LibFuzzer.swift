// The functions that libFuzzer calls. Which target is fuzzed says the environment; see Deploy/fuzz.

import FuzzTargets
import Glibc

/// The target of this process.
private let target: FuzzTarget = {
    let name = getenv("CONCORD_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
        let known = FuzzTarget.allCases.map(\.rawValue).joined(separator: " ")
        print("CONCORD_FUZZ_TARGET is none of: \(known)")
        exit(2)
    }
    return target
}()

/// Writes the target's seeds into the folder that the environment names.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _: UnsafeMutablePointer<CInt>?,
    _: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>?
) -> CInt {
    guard let folder = getenv("CONCORD_FUZZ_SEEDS").map({ String(cString: $0) }) else { return 0 }
    for (number, seed) in target.seeds.enumerated() {
        guard let file = fopen("\(folder)/seed-\(number)", "w") else {
            print("\(folder) cannot be written")
            exit(2)
        }
        fwrite(seed, 1, seed.count, file)
        fclose(file)
    }
    return 0
}

/// Tries one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func tryOne(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    target.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}
