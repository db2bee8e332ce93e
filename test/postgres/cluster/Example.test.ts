import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { chmodSync, existsSync, readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as TestDatabase from "../database.js"

const root = fileURLToPath(new URL("../../..", import.meta.url))

interface Ended {
  readonly code: number | null
  readonly output: string
}

/** Runs the example; its temporary files are in the directory. */
const example = (
  directory: string,
  args: ReadonlyArray<string>,
  seen: (output: string, child: ChildProcess) => void = () => {}
) =>
  Effect.async<Ended>((resume) => {
    const child = spawn(process.execPath, ["--import", "tsx", "examples/cluster/main.ts", ...args], {
      cwd: root,
      env: { ...process.env, TMPDIR: directory },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let output = ""
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text
        seen(output, child)
      })
    child.on("close", (code) => resume(Effect.succeed({ code, output })))
  })

/** The process ids of the nodes. */
const pids = (output: string) => [...output.matchAll(/ pid (\d+)$/gm)].map(([, pid = ""]) => pid)

/** What it has left there; tsx keeps a cache. */
const left = (directory: string) => readdirSync(directory).filter((name) => !name.startsWith("tsx-"))

const isThere = (pid: string) => existsSync(`/proc/${pid}`)

describe("the example of a cluster", () => {
  it.scopedLive(
    "stops a job from another node, and continues those of a killed one, on a database that is named",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const directory = yield* TemporaryDirectory.make
        const { code, output } = yield* example(directory, ["--database", url])
        expect({ code, output }).toMatchObject({ code: 0 })
        for (const name of ["a", "b", "c"])
          expect(output).toMatch(new RegExp(`s  ${name} works on report \\d, report \\d\n`))
        expect(output).toMatch(/report \d, which runs on a, is stopped from c: graceful\n/)
        expect(output.match(/report \d continues on [ac] with page [45]\n/g)).toHaveLength(2)
        expect(output.match(/report \d is completed\n/g)).toHaveLength(3)
        expect(output.match(/report \d is completed, attempt 2\n/g)).toHaveLength(2)
        expect(output.match(/report \d is cancelled\n/g)).toHaveLength(1)
        expect(pids(output)).toHaveLength(3)
        expect(pids(output).filter(isThere)).toEqual([])
        expect(left(directory)).toEqual([])
      }),
    300_000
  )

  it.scopedLive(
    "starts a server of its own, and leaves nothing behind at Ctrl-C",
    () =>
      Effect.gen(function* () {
        const directory = yield* TemporaryDirectory.make
        // The server may run as another user.
        yield* Effect.sync(() => chmodSync(directory, 0o755))
        let isInterrupted = false
        const { output } = yield* example(directory, [], (output, child) => {
          if (!isInterrupted && output.includes("works on")) isInterrupted = child.kill("SIGINT")
        })
        expect(output).toMatch(/interrupted/)
        expect(pids(output)).toHaveLength(3)
        expect(pids(output).filter(isThere)).toEqual([])
        expect(left(directory)).toEqual([])
      }),
    300_000
  )
})
