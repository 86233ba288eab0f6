// swift-tools-version: 6.1
import PackageDescription

// One module per layer; a module depends only on modules above it in this list. See README.md, "How it is built".
let package = Package(
    name: "concord",
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    ],
    targets: [
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .target(name: "CBOR"),
        .target(name: "ConcordCrypto", dependencies: ["COpenSSL"]),
        .target(name: "ConcordModel", dependencies: ["CBOR", "ConcordCrypto"]),
        .target(name: "ConcordAPI", dependencies: ["ConcordModel"]),
        .target(
            name: "ConcordStore",
            dependencies: ["CBOR", "ConcordAPI", "ConcordCrypto", "ConcordModel", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(name: "ConcordSync", dependencies: ["CBOR", "ConcordCrypto", "ConcordModel"]),
        .target(
            name: "ConcordTransport",
            dependencies: [
                "COpenSSL", "ConcordCrypto",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(name: "CBORTests", dependencies: ["CBOR"]),
        .testTarget(name: "ConcordCryptoTests", dependencies: ["ConcordCrypto"]),
        .testTarget(name: "ConcordModelTests", dependencies: ["CBOR", "ConcordCrypto", "ConcordModel"]),
        .testTarget(name: "ConcordAPITests", dependencies: ["ConcordAPI"]),
        .testTarget(name: "ConcordStoreTests", dependencies: ["ConcordStore"]),
        .testTarget(name: "ConcordSyncTests", dependencies: ["ConcordSync"]),
        .testTarget(
            name: "ConcordTransportTests",
            dependencies: ["ConcordTransport", .product(name: "NIOEmbedded", package: "swift-nio")]),
    ],
    swiftLanguageModes: [.v6]
)
