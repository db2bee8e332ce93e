import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import manifest from "./package.json" with { type: "json" }

/** `charlotte` and its subpaths, as package.json exports them, but from the sources: no build comes before a test. */
const alias = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
  typeof target === "string"
    ? []
    : [
        {
          find: new RegExp(`^charlotte${subpath.slice(1)}$`),
          replacement: fileURLToPath(
            new URL(target.default.replace("./dist/", "./src/").replace(/\.js$/, ".ts"), import.meta.url)
          )
        }
      ]
)

/** The quick tests, which need few processes of their own; `.ci/run` has them pass on every Node that is supported. */
const unit = [
  "test/internal/**/*.test.ts",
  "test/domain/**/*.test.ts",
  "test/store/**/!(FileLock).test.ts",
  "test/manager/**/!(Capacity|EventLeaks).test.ts",
  "test/http/**/!(Crowd|Memory|Reconnect|Stalled).test.ts",
  "test/cli/!(bin).test.ts",
  "test/cli/{doctor,errors,parser,run,terminal}/**/*.test.ts"
]

export default defineConfig({
  resolve: { alias },
  test: {
    projects: [
      { extends: true, test: { name: "unit", include: unit } },
      { extends: true, test: { name: "integration", include: ["test/**/*.test.ts"], exclude: unit } }
    ],
    reporters: ["default"],
    allowOnly: false,
    // Tests start real processes and wait for real files, on machines that may be busy: the limit is for what hangs.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Processes, not threads: native code, signals and the working directory belong to a whole process.
    pool: "forks",
    poolOptions: { forks: { minForks: 1, maxForks: 2 } }
  }
})
