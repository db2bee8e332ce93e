/** The examples are what a newcomer copies, so they are run as a newcomer runs them. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { readdir } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import * as TemporaryDirectory from "./support/TemporaryDirectory.js"

const root = fileURLToPath(new URL("..", import.meta.url))

/** Runs a program of the examples; what it makes is made in `directory`. */
const runExample = (directory: string, ...args: ReadonlyArray<string>) =>
  Effect.async<string>((resume) => {
    const env = { ...process.env, TMPDIR: directory, NO_COLOR: "1" }
    execFile(process.execPath, ["--import", "tsx", ...args], { cwd: root, env }, (error, stdout, stderr) =>
      resume(error === null ? Effect.succeed(stdout) : Effect.die(new Error(`${error.message}\n${stdout}\n${stderr}`)))
    )
  })

describe("the examples", () => {
  it.scopedLive("embed.ts counts to three, and is recorded", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const output = yield* runExample(directory, "examples/embed.ts", `${directory}/jobs.db`)
      expect(output.trimEnd().split("\n")).toEqual([
        "1 job.started { attempt: 1 }",
        "2 counted 1",
        "3 counted 2",
        "4 counted 3",
        "5 job.completed ",
        "job completed: counted to three"
      ])
    })
  )

  it.scopedLive("the demo does all of its tasks and names the result", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const output = yield* runExample(directory, "examples/demo/main.ts")
      expect(output).toContain("7 tasks in 3 units, 7 commits")
      const [made] = yield* Effect.promise(() => readdir(directory))
      expect(output).toContain(`database  ${directory}/${made}/charlotte.db`)
    })
  )
})
