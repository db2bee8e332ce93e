import { describe, expect, it } from "@effect/vitest"
import { Option } from "effect"
import { build } from "esbuild"
import { fileURLToPath } from "node:url"
import * as start from "../../../src/cli/daemon/start.js"

const isRead = (words: string) => Option.isSome(start.command(words.split(" ")))

describe("the words that start a daemon", () => {
  for (const words of [
    "daemon start",
    "daemon start --json",
    "daemon start --foreground",
    "daemon start --foreground --listen 127.0.0.1:0 --json --log-level debug",
    "daemon start --listen [::1]:7433 --foreground"
  ]) {
    it(`are read by themselves: ${words}`, () => expect(isRead(words)).toBe(true))
  }

  for (const words of [
    "daemon",
    "daemon restart --foreground",
    "run --foreground",
    "daemon start --foreground --help",
    "daemon start --foreground --foreground",
    "daemon start --foreground extra",
    "daemon start --foreground --listen",
    "daemon start --foreground --listen 0.0.0.0:7433",
    "daemon start --foreground --listen=127.0.0.1:0",
    "daemon start --foreground --log-level loud"
  ]) {
    it(`are left to the command line, which says more or does something else: ${words}`, () =>
      expect(isRead(words)).toBe(false))
  }
})

const root = fileURLToPath(new URL("../../..", import.meta.url))

/** The files, from the root, that are loaded with these. */
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

describe("a daemon that starts", () => {
  it("loads neither the command line nor what works on tasks or answers requests, before it is ready", async () => {
    const loaded = await loadedWith("src/cli/Charlotte.ts", "src/daemon/Daemon.ts")
    expect(loaded).toEqual(expect.arrayContaining(["src/store/SqlRunStore.ts", "src/http/server/Listener.ts"]))
    const late =
      /^@effect\/cli|^src\/cli\/(Main|Commands|Failure)\.ts|^src\/tasks\/(work|TaskOrchestrator|Git\.ts)|^src\/http\/(Application|errors)/
    expect(loaded.filter((path) => late.test(path))).toEqual([])
    expect(await loadedWith("src/daemon/TaskLayers.ts")).toContain("src/tasks/TaskOrchestrator.ts")
  })
})
