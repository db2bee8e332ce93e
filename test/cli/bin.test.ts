import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Schedule } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdirSync } from "node:fs"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import { inject } from "vitest"
import manifest from "../../package.json" with { type: "json" }
import { sandbox, type Sandbox } from "../support/Repository.js"

const { bin, cache, program } = inject("command")

interface Answer {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const answerOf = (child: ChildProcess) =>
  Effect.async<Answer>((resume) => {
    let [out, err] = ["", ""]
    child.stdout?.on("data", (data) => (out += String(data)))
    child.stderr?.on("data", (data) => (err += String(data)))
    child.on("close", (code) => resume(Effect.succeed({ code, out, err })))
  })

/** Nothing of this process's environment but what is needed. */
const environment = (world: Sandbox) => ({
  ...world.environment.variables,
  CHARLOTTE_HOME: `${world.root}/charlotte`,
  XDG_CACHE_HOME: cache,
  TERM: "xterm"
})

/** A shell in which `charlotte` is the real command. */
const shell = (world: Sandbox, script: string, cwd = world.root) =>
  Effect.suspend(() => {
    const PATH = `${bin}:${world.environment.variables["PATH"]}`
    const env = { ...environment(world), PATH }
    return answerOf(spawn("bash", ["-c", script], { cwd, env, stdio: ["ignore", "pipe", "pipe"] }))
  })

const task = (number: number, title: string) => `---\ntask: ${number}\nbackpressure: "true"\n---\n\n# ${title}\n`

const repository = (world: Sandbox, tasks: number) =>
  Effect.gen(function* () {
    const top = `${world.root}/repository`
    mkdirSync(top)
    yield* world.git(top, "init", "--quiet")
    for (let number = 1; number <= tasks; number++) {
      const title = `A task of many words that fill the pipe to whoever reads it, number ${number} \x1b[31mred`
      yield* world.write(`${top}/tasks/${number}-a.md`, task(number, title))
    }
    return top
  })

describe("charlotte", () => {
  it.scopedLive("runs from source", () =>
    Effect.gen(function* () {
      const world = yield* sandbox
      const sources = fileURLToPath(new URL("../../src/cli/bin.ts", import.meta.url))
      const tsx = createRequire(import.meta.url).resolve("tsx")
      const child = spawn(process.execPath, ["--import", tsx, sources, "--version"], { env: environment(world) })
      expect(yield* answerOf(child)).toEqual({ code: 0, out: `${manifest.version}\n`, err: "" })
    })
  )

  it.scopedLive("writes plain text to a pipe and exits with 0", () =>
    Effect.gen(function* () {
      const world = yield* sandbox
      const top = yield* repository(world, 1)
      const { code, err, out } = yield* shell(world, "charlotte plan tasks && charlotte --version", top)
      expect([code, err]).toEqual([0, ""])
      expect(out).toMatch(
        /^wave 1\n└─ tasks\n {3}└─ 1 A task of many words.* red\n.*\n\n1 unit, 1 task, 1 wave: 1 to do\n\d+\.\d+\.\d+\n$/
      )
      expect(out).not.toContain("\x1b")
    })
  )

  it.scopedLive("writes a usage error once, to standard error, and exits with 2", () =>
    Effect.gen(function* () {
      const world = yield* sandbox
      const { code, err, out } = yield* shell(world, "charlotte plann tasks")
      expect({ code, err, out }).toEqual({
        code: 2,
        err: 'charlotte: unknown command "plann"; did you mean "charlotte plan"?\n',
        out: ""
      })
    })
  )

  it.scopedLive("exits quietly when the reader closes the pipe", () =>
    Effect.gen(function* () {
      const world = yield* sandbox
      const top = yield* repository(world, 1_500)
      const script = "charlotte plan tasks | head -1; echo ${PIPESTATUS[0]}"
      expect(yield* shell(world, script, top)).toEqual({ code: 0, err: "", out: "wave 1\n141\n" })
    })
  )

  it.scopedLive("says that a full disk took none of its output, and exits with 1", () =>
    Effect.gen(function* () {
      const world = yield* sandbox
      const top = yield* repository(world, 1)
      expect(yield* shell(world, "charlotte plan tasks > /dev/full", top)).toEqual({
        code: 1,
        err: "charlotte: standard output cannot be written: ENOSPC: no space left on device\n",
        out: ""
      })
    })
  )

  it.scopedLive("runs with standard output closed", () =>
    Effect.gen(function* () {
      const world = yield* sandbox
      const top = yield* repository(world, 1)
      const { err, out } = yield* shell(world, "charlotte plan tasks >&-; echo $?", top)
      expect([err, out.trim()]).toEqual(["", expect.stringMatching(/^(0|141)$/)])
    })
  )

  it.scopedLive("reports a deleted working directory", () =>
    Effect.gen(function* () {
      const world = yield* sandbox
      mkdirSync(`${world.root}/gone`)
      const go = `process.chdir("${world.root}/gone"); (await import("node:fs")).rmdirSync("${world.root}/gone")`
      const script = ["--import", `data:text/javascript,${encodeURIComponent(go)}`, program]
      const child = spawn(process.execPath, [...script, "plan", "tasks"], { env: environment(world) })
      expect(yield* answerOf(child)).toEqual({
        code: 2,
        err: "charlotte: the current directory no longer exists; change to another one\n",
        out: ""
      })
    })
  )

  it.scopedLive("exits with 130 when interrupted", () =>
    Effect.gen(function* () {
      const world = yield* sandbox
      const top = yield* repository(world, 1)
      // A git that never answers keeps the command waiting; that it was called tells that the command is there.
      mkdirSync(`${world.root}/bin`)
      const called = `${world.root}/called`
      yield* world.write(`${world.root}/bin/git`, `#!/bin/sh\n: > "${called}"\nexec sleep 60\n`, 0o755)
      const env = { ...environment(world), PATH: `${world.root}/bin:${world.environment.variables["PATH"]}` }
      const child = spawn(process.execPath, [program, "plan", "tasks"], { cwd: top, env })
      const answer = yield* Effect.fork(answerOf(child))
      yield* Effect.sync(() => existsSync(called)).pipe(
        Effect.repeat({ until: (isThere) => isThere, schedule: Schedule.spaced("20 millis") }),
        Effect.timeout("2 minutes")
      )
      child.kill("SIGINT")
      expect(yield* Fiber.join(answer)).toEqual({ code: 130, out: "", err: "" })
    })
  )
})
