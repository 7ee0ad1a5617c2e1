// swift-tools-version: 6.2
import PackageDescription

// Every target is compiled in Swift 6 mode with warnings as errors and, but for the lane targets, so that tests see
// internals (in the lane targets that would leave weak symbols behind, see .ci/check-symbols). A target may import only what it
// declares here (the build runs with --explicit-target-dependency-import-check error), and only targets
// of a lower floor are declared: see README, "Map of the modules".
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]
let testable = strict + [.unsafeFlags(["-enable-testing"])]

/// The lane text is compiled once per instruction set. `-Ounchecked` also in debug builds: unoptimised
/// lane code is a thousand times slower, and the callers have checked every index.
func lanes(_ clangFlags: [String]) -> [SwiftSetting] {
    strict + [.unsafeFlags(["-Ounchecked"] + clangFlags.flatMap { ["-Xcc", $0] })]
}

#if arch(x86_64)
    let laneTargets: [Target] = [
        .target(
            name: "BatonKernelsBaseline", dependencies: ["BatonKernelABI", "CLanes"],
            swiftSettings: lanes([])),
        .target(
            name: "BatonKernelsAVX2", dependencies: ["BatonKernelABI", "CLanes"],
            swiftSettings: lanes(["-march=x86-64-v3"])),
        .target(
            name: "BatonKernelsAVX512", dependencies: ["BatonKernelABI", "CLanes"],
            swiftSettings: lanes(["-march=x86-64-v4", "-mprefer-vector-width=512"])),
    ]
    let laneNames: [Target.Dependency] = ["BatonKernelsBaseline", "BatonKernelsAVX2", "BatonKernelsAVX512"]
#else
    let laneTargets: [Target] = [
        .target(
            name: "BatonKernelsBaseline", dependencies: ["BatonKernelABI", "CLanes"],
            swiftSettings: lanes([]))
    ]
    let laneNames: [Target.Dependency] = ["BatonKernelsBaseline"]
#endif

/// One test target per module.
func test(
    _ module: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [], resources: [Resource] = []
) -> Target {
    .testTarget(
        name: module + "Tests",
        dependencies: (module == "BatonTestSupport" ? [] : [.byName(name: module)]) + ["BatonTestSupport"]
            + dependencies,
        exclude: exclude, resources: resources, swiftSettings: testable)
}

let tests: [Target] = [
    test("BatonTestSupport"),
    test("BatonKernels", ["BatonKernelABI"], exclude: ["Goldens"]),
    test("BatonTensor", ["BatonKernels", "BatonKernelABI"]),
    test("BatonComm"),
    test("BatonMPI", ["BatonComm", "BatonMPITestSupport"]),
    test("BatonFormats", ["BatonTensor"], resources: [.copy("Goldens")]),
    test("BatonData", ["BatonTensor"]),
    test("BatonNN", ["BatonTensor", "BatonKernels", "BatonKernelABI"], exclude: ["Goldens"]),
    test(
        "BatonModelIO",
        ["BatonEngine", "BatonNN", "BatonComm", "BatonData", "BatonFormats", "BatonTensor", "BatonKernels"],
        exclude: ["Goldens"]),
    test(
        "BatonEngine",
        ["BatonNN", "BatonData", "BatonComm", "BatonTensor", "BatonKernels", "BatonMPITestSupport"]),
    test("BatonCLI", ["Baton"]),
]

let package = Package(
    name: "baton",
    products: [
        .library(name: "Baton", targets: ["Baton"]),
        .executable(name: "baton", targets: ["BatonCLI"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    ],
    targets: laneTargets + [
        // Floor 0: system libraries.
        .systemLibrary(
            name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev", "openmpi-bin"])]),
        .systemLibrary(
            name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CLanes"),
        .systemLibrary(name: "CProcessor"),
        // Floor 0: what every floor says a caller's mistake with.
        .target(name: "BatonChecks", swiftSettings: testable),
        // Floor 1.
        .target(name: "BatonKernelABI", swiftSettings: testable),
        .target(name: "BatonComm", dependencies: ["BatonChecks", "CProcessor"], swiftSettings: testable),
        // Floor 2.
        .target(name: "BatonMPI", dependencies: ["BatonChecks", "BatonComm", "COpenMPI"], swiftSettings: testable),
        // Floor 3.
        .target(
            name: "BatonKernels",
            dependencies: ["BatonChecks", "BatonKernelABI", "CLanes", "COpenBLAS", "CProcessor"] + laneNames,
            swiftSettings: testable),
        // Floor 4.
        .target(
            name: "BatonTensor", dependencies: ["BatonChecks", "BatonKernels", "BatonKernelABI"],
            swiftSettings: testable),
        // Floor 5.
        .target(
            name: "BatonFormats",
            dependencies: ["BatonChecks", "BatonTensor", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: testable),
        .target(name: "BatonData", dependencies: ["BatonChecks", "BatonTensor"], swiftSettings: testable),
        .target(
            name: "BatonNN", dependencies: ["BatonChecks", "BatonTensor", "BatonKernels", "BatonKernelABI"],
            swiftSettings: testable),
        // Floor 6.
        .target(
            name: "BatonEngine",
            dependencies: [
                "BatonChecks", "BatonNN", "BatonData", "BatonComm", "BatonTensor", "BatonKernels", "BatonKernelABI",
            ],
            swiftSettings: testable),
        // Floor 7: above the engine, because a checkpoint is the engine's snapshot as a file.
        .target(
            name: "BatonModelIO",
            dependencies: [
                "BatonChecks", "BatonEngine", "BatonNN", "BatonData", "BatonFormats", "BatonTensor", "BatonKernels",
                "BatonKernelABI",
            ],
            swiftSettings: testable),
        // Floor 8: the umbrella, re-exports only.
        .target(
            name: "Baton",
            dependencies: [
                "BatonKernelABI", "BatonKernels", "BatonTensor", "BatonComm", "BatonMPI", "BatonFormats", "BatonData",
                "BatonNN", "BatonModelIO", "BatonEngine",
            ],
            swiftSettings: testable),
        // Floor 9.
        .executableTarget(
            name: "BatonCLI",
            dependencies: [
                "Baton", "BatonChecks", "BatonKernelABI",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: testable),
        // Tests. BatonTestSupport holds the oracles and imports nothing of Baton.
        .target(name: "BatonTestSupport", path: "Tests/BatonTestSupport", swiftSettings: testable),
        // The MPI world of a test process, shared by all test targets that run under mpirun.
        .target(
            name: "BatonMPITestSupport", dependencies: ["BatonComm", "BatonMPI"], path: "Tests/BatonMPITestSupport",
            swiftSettings: testable),
    ] + tests
)
