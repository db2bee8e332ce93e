/**
 * The system calls of a manager before it acknowledges a write.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as Child from "./Child.js"

const strace = ["--follow-forks", "--decode-fds=path", "--trace=pwrite64,write,fdatasync,fsync"]

const canTrace = spawnSync("strace", [...strace, "--output=/dev/null", "true"], { stdio: "ignore" }).status === 0

type Step = "log written" | "log synced" | "acknowledged"

/**
 * The calls of the process in order. A call interrupted in the trace has two lines: it counts as a write where it starts, and
 * as a sync where it ends.
 */
const steps = (trace: string, log: string): ReadonlyArray<Step> => {
  const syncing = new Set<string>()
  return trace.split("\n").flatMap((line): ReadonlyArray<Step> => {
    const [, thread = "", call = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    if (call.startsWith("<... fdatasync resumed>") || call.startsWith("<... fsync resumed>"))
      return syncing.delete(thread) && call.endsWith("= 0") ? ["log synced"] : []
    if (/^write\(1<.*acknowledged/.test(call)) return ["acknowledged"]
    if (!call.includes(`<${log}>`)) return []
    if (call.startsWith("pwrite64(")) return ["log written"]
    if (call.endsWith("= 0")) return ["log synced"]
    syncing.add(thread)
    return []
  })
}

describe("an acknowledgement", () => {
  it.scopedLive.skipIf(!canTrace)("comes after its write to the WAL and the fsync", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const program = yield* Child.bundle(directory)
      const trace = `${directory}/trace`
      const child = yield* Child.start("strace", [
        ...strace,
        `--output=${trace}`,
        ...[process.execPath, program, "acknowledge", `${directory}/jobs.db`]
      ])
      const { code, log } = yield* child.ended
      expect(code, log).toBe(0)
      const all = steps(readFileSync(trace, "utf8"), `${directory}/jobs.db-wal`)
      expect(all.filter((step) => step === "acknowledged")).toHaveLength(40)
      let last = 0
      for (const [i, step] of all.entries()) {
        if (step !== "acknowledged") continue
        // Since the previous acknowledgement something was written, and nothing after the last sync.
        const since = all.slice(last, i)
        expect(since).toContain("log written")
        expect(since.at(-1)).toBe("log synced")
        last = i + 1
      }
    })
  )
})
