import { describe, expect, it } from "@effect/vitest"
import { build } from "esbuild"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../..", import.meta.url))

/** The files, from the root, and the packages that are loaded with these. */
const loadedWith = async (...entryPoints: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [...entryPoints],
    bundle: true,
    metafile: true,
    write: false,
    outdir: "unwritten",
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "error"
  })
  const seen = new Set<string>()
  const visit = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    for (const { kind, path: next } of metafile.inputs[path]?.imports ?? []) {
      if (kind === "import-statement") visit(next)
    }
  }
  for (const path of entryPoints) visit(path)
  return [...seen]
}

describe("charlotte daemon start --foreground", () => {
  it("loads neither what other commands run, nor the task orchestrator, nor the HTTP application before the daemon is ready", async () => {
    const loaded = await loadedWith("src/cli/main.ts", "src/daemon/Daemon.ts")
    expect(loaded).toEqual(expect.arrayContaining(["src/store/sql/SqlRunStore.ts", "src/http/server/Listener.ts"]))
    const late =
      /^src\/cli\/(doctor|logs|offline|run|JobSource|errors\/formatError|\w+(Job|Jobs|Plan|Stop)\.ts)|^src\/tasks\/(work|run|TaskOrchestrator|Git\.ts)|^src\/git\/Git\.ts|^src\/http\/server\/HttpApp/
    expect(loaded.filter((path) => late.test(path))).toEqual([])
    expect(await loadedWith("src/daemon/layers/TaskLayers.ts")).toContain("src/tasks/TaskOrchestrator.ts")
  })

  it("loads no client of PostgreSQL, which an installation may lack, with anything that it loads later", async () => {
    const loaded = await loadedWith(
      "src/cli/main.ts",
      "src/daemon/Daemon.ts",
      "src/daemon/layers/TaskLayers.ts",
      "src/http/server/HttpApp.ts"
    )
    expect(loaded).toEqual(expect.arrayContaining(["effect", "src/store/postgres/PostgresSession.ts"]))
    expect(loaded.filter((path) => /^(@effect\/sql-pg|pg)(\/|$)/.test(path))).toEqual([])
  })
})
