/** The examples are what a newcomer copies, so they are run as a newcomer runs them. */
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as TemporaryDirectory from "./support/TemporaryDirectory.js"

const root = fileURLToPath(new URL("..", import.meta.url))

interface Ended {
  readonly code: number | null
  readonly output: string
}

/** Runs a program; what it makes for the time being is made in `directory`. */
const run = (
  directory: string,
  command: string,
  args: ReadonlyArray<string>,
  seen: (output: string, child: ChildProcess) => void = () => {}
) =>
  Effect.async<Ended>((resume) => {
    // Commits in the checkout, which `charlotte doctor` checks as well, need an identity.
    writeFileSync(`${directory}/.gitconfig`, "[user]\n\tname = Ada Lovelace\n\temail = ada@example.com\n")
    const env = { ...process.env, HOME: directory, TMPDIR: directory, NO_COLOR: "1" }
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text
        seen(output, child)
      })
    child.on("close", (code) => resume(Effect.succeed({ code, output })))
  })

const example = (directory: string, args: ReadonlyArray<string>, seen?: Parameters<typeof run>[3]) =>
  run(directory, process.execPath, ["--import", "tsx", ...args], seen)

/** Does what a program has said, as it has said it. */
const follow = (directory: string, command: string) => run(directory, "sh", ["-c", command])

/** The lines that a program has set off from what it says, to be copied. */
const commands = (output: string) => {
  const [, below = ""] = output.split("Have a look:")
  return below.split("\n").flatMap((line) => (line.startsWith("  ") ? [line.trim()] : []))
}

/** What is told of a job that counts to three. */
const counted = [
  "1 job.started { attempt: 1 }",
  "2 counted 1",
  "3 counted 2",
  "4 counted 3",
  "5 job.completed ",
  "job completed: counted to three"
]

describe("the examples", () => {
  it.scopedLive("embed.ts counts to three, and is recorded", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const { output } = yield* example(directory, ["examples/embed.ts", `${directory}/jobs.db`])
      expect(output.trimEnd().split("\n")).toEqual(counted)
    })
  )

  it.scopedLive("the orders are shipped and undone once, also when they are run again", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const orders = example(directory, ["examples/order/main.ts", `${directory}/orders.db`])
      const ended = ["order a-1: P-17", "order a-2: cancelled"]
      const lines = (output: string) => output.trimEnd().split("\n")
      const done = (output: string) => lines(output).flatMap((line) => /^(\w+) [0-9a-f]{8}$/.exec(line)?.[1] ?? [])
      const { output } = yield* orders
      expect(done(output)).toEqual(["reserve", "charge", "ship", "reserve", "charge", "refund", "release"])
      expect(lines((yield* orders).output)).toEqual(ended)
    })
  )

  it.scopedLive("server.ts serves jobs, and client.ts starts one and follows it to its end", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const socket = `${directory}/app.socket`
      const ended = yield* Deferred.make<Ended>()
      const server = yield* Effect.acquireRelease(
        Effect.async<ChildProcess>((resume) => {
          const args = ["examples/server.ts", socket]
          const running = example(directory, args, (_, child) => existsSync(socket) && resume(Effect.succeed(child)))
          const over = Effect.tap(running, ({ output }) => Effect.sync(() => resume(Effect.dieMessage(output))))
          Effect.runFork(Effect.intoDeferred(over, ended))
        }),
        (child) =>
          Effect.zipRight(
            Effect.sync(() => child.kill("SIGKILL")),
            Deferred.await(ended)
          )
      )
      const { code, output } = yield* example(directory, ["examples/client.ts", socket])
      expect(output.trimEnd().split("\n")).toEqual(counted)
      expect(code).toBe(0)
      server.kill("SIGTERM")
      expect((yield* Deferred.await(ended)).output).toMatch(/Listening on /)
    })
  )

  it.scopedLive("the demo does all of its tasks, and says what there is to look at", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const { code, output } = yield* example(directory, ["examples/demo/main.ts"])
      expect(code, output).toBe(0)
      expect(output).toMatch(/units +3 merged\n +tasks +7 done\n/)
      expect(output).toMatch(/completed in .*\n\n  ! barn 3 {2}the gate passed before any work\n/)
      expect(output).not.toContain("\x1b")

      const [log = "", morning = "", charlotte = "", ...others] = commands(output)
      expect(others).toEqual([])
      expect((yield* follow(directory, log)).output).toContain("Show it to the visitors")
      expect((yield* follow(directory, morning)).output).toContain("some pig")
      const doctor = yield* follow(directory, `${charlotte} doctor`)
      expect(doctor.output).toMatch(/✓ home +\S+charlotte-demo-\S+\/home\n/)
      expect(doctor.code).toBe(0)
    })
  )

  it.scopedLive("the demo passes Ctrl-C on, and says how to go on, which then does the rest", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      let isInterrupted = false
      const { code, output } = yield* example(directory, ["examples/demo/main.ts"], (output, child) => {
        if (!isInterrupted && / silk {2}unit started/.test(output)) isInterrupted = child.kill("SIGINT")
      })
      expect(code, output).toBe(130)
      const resume = /continue with {2}charlotte (resume \w{26})\n/.exec(output)?.[1] ?? "none"
      const [, charlotte = ""] = commands(output)
      const resumed = yield* follow(directory, `${charlotte} ${resume}`)
      expect(resumed.output).toMatch(/tasks +7 done\n/)
      expect(resumed.code).toBe(0)
    })
  )
})
