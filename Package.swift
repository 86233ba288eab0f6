// swift-tools-version: 6.1
import PackageDescription

// The fuzzer has no main function of its own, and links only beside libFuzzer: see Deploy/fuzz.
let isFuzzing = Context.environment["CONCORD_FUZZ"] != nil

// One module per layer; a module depends only on modules above it in this list. See README.md, "How it is built".
let package = Package(
    name: "concord",
    products: [
        .executable(name: "concordd", targets: ["concordd"]),
        .executable(name: "concord", targets: ["concord"]),
        .executable(name: "concord-simulator", targets: ["concord-simulator"]),
        .executable(name: "concord-bench", targets: ["concord-bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .target(name: "CBOR"),
        .target(name: "ConcordCrypto", dependencies: ["COpenSSL"]),
        .target(name: "ConcordText"),
        .target(name: "ConcordModel", dependencies: ["CBOR", "ConcordCrypto", "ConcordText"]),
        .target(name: "ConcordAPI", dependencies: ["ConcordModel"]),
        .target(
            name: "ConcordStore",
            dependencies: [
                "CBOR", "ConcordAPI", "ConcordCrypto", "ConcordModel", "ConcordText",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ]),
        .target(name: "ConcordSync", dependencies: ["CBOR", "ConcordCrypto", "ConcordModel"]),
        .target(
            name: "ConcordTransport",
            dependencies: [
                "COpenSSL", "ConcordCrypto",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(
            name: "ConcordNode",
            dependencies: [
                "CBOR", "ConcordAPI", "ConcordCrypto", "ConcordModel", "ConcordStore", "ConcordSync",
                "ConcordText",
                "ConcordTransport",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ]),
        .target(
            name: "ConcordClient",
            dependencies: [
                "CBOR", "ConcordAPI", "ConcordCrypto", "ConcordModel", "ConcordText",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
        .target(
            name: "CSimulation", linkerSettings: [.linkedLibrary("sqlite3"), .linkedLibrary("crypto")]),
        .target(
            name: "ConcordSimulator",
            dependencies: [
                "CSimulation", "ConcordAPI", "ConcordCrypto", "ConcordModel", "ConcordStore", "ConcordSync",
                "ConcordText",
            ]),
        .target(
            name: "ShapedLink",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        .executableTarget(
            name: "concordd",
            dependencies: [
                "ConcordNode", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "concord",
            dependencies: [
                "CBOR", "ConcordAPI", "ConcordCrypto", "ConcordModel", "ConcordStore", "ConcordNode",
                "ConcordClient",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "concord-simulator",
            dependencies: [
                "ConcordSimulator", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "concord-bench",
            dependencies: [
                "COpenSSL", "ConcordAPI", "ConcordClient", "ConcordCrypto", "ConcordModel",
                "ConcordSimulator", "ConcordStore", "ConcordText", "ShapedLink", "concord", "concordd",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ]),
        .testTarget(name: "CBORTests", dependencies: ["CBOR"]),
        .testTarget(name: "ConcordTextTests", dependencies: ["ConcordText"]),
        .testTarget(name: "ConcordCryptoTests", dependencies: ["ConcordCrypto"]),
        .testTarget(
            name: "ConcordModelTests", dependencies: ["CBOR", "ConcordCrypto", "ConcordModel", "ConcordText"]),
        .testTarget(name: "ConcordAPITests", dependencies: ["ConcordAPI"]),
        .target(
            name: "TestSupport",
            dependencies: [
                "ConcordAPI", "ConcordCrypto", "ConcordModel", "ConcordStore",
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            path: "Tests/Support"),
        .testTarget(
            name: "ConcordStoreTests",
            dependencies: [
                "CBOR", "ConcordAPI", "ConcordCrypto", "ConcordModel", "ConcordStore", "ConcordText",
                "TestSupport",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ], exclude: ["Schema/version-4.sql"]),
        .target(
            name: "SyncSupport", dependencies: ["CBOR", "ConcordCrypto", "ConcordModel", "ConcordSync"],
            path: "Tests/SyncSupport"),
        .testTarget(
            name: "ConcordSyncTests",
            dependencies: ["CBOR", "ConcordCrypto", "ConcordModel", "ConcordSync", "SyncSupport"]),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "CBOR", "ConcordClient", "ConcordCrypto", "ConcordModel", "ConcordNode", "ConcordSimulator",
                "ConcordSync", "ConcordText", "ConcordTransport", "SyncSupport",
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            path: "Tests/Fuzz/Targets"),
        .testTarget(
            name: "FuzzTests", dependencies: ["FuzzTargets", "SyncSupport"], path: "Tests/Fuzz/Replay"),
        .target(
            name: "TestProxy",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/Proxy"),
        .testTarget(
            name: "ConcordTransportTests",
            dependencies: [
                "ConcordTransport", "TestProxy", .product(name: "NIOEmbedded", package: "swift-nio"),
            ]),
        .testTarget(
            name: "ConcordNodeTests",
            dependencies: [
                "ConcordAPI", "ConcordClient", "ConcordCrypto", "ConcordModel", "ConcordNode", "ConcordStore",
                "ConcordTransport",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        .testTarget(
            name: "AdversaryTests",
            dependencies: [
                "CBOR", "ConcordAPI", "ConcordCrypto", "ConcordModel", "ConcordStore", "ConcordSync",
                "ConcordText", "TestSupport",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            path: "Tests/Adversary"),
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "ConcordAPI", "ConcordCrypto", "ConcordModel", "ConcordSimulator", "ConcordStore",
            ], path: "Tests/Simulation", exclude: ["Found"]),
        .executableTarget(
            name: "concordd-next", dependencies: ["ConcordModel", "ConcordNode"], path: "Tests/Next"),
        .testTarget(
            name: "ProcessTests",
            dependencies: [
                "concordd", "concordd-next", "concord", "ConcordModel", "ConcordCrypto", "ConcordClient",
                "ConcordSync", "ShapedLink", "SyncSupport", "TestProxy",
            ],
            path: "Tests/Process"),
    ]
        + (isFuzzing
            ? [
                .executableTarget(
                    name: "concord-fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Driver")
            ] : []),
    swiftLanguageModes: [.v6]
)
