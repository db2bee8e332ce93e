/** Invocations of agents, run with fake commands. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Layer, Schema } from "effect"
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { Command, Script } from "../../../src/tasks/agents/Agent.js"
import * as Invocation from "../../../src/tasks/agents/Invocation.js"
import { presets } from "../../../src/tasks/agents/Presets.js"
import { Profile } from "../../../src/tasks/agents/Profile.js"
import { ParentEnvironment } from "../../../src/process/ChildEnvironment.js"
import { ProcessRunner } from "../../../src/process/ProcessRunner.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { jobId, layer } from "../../process/workshop.js"

const Call = Schema.Struct({
  arguments: Schema.Array(Schema.String),
  stdin: Schema.String,
  env: Schema.Record({ key: Schema.String, value: Schema.String })
})

/** Prints how it was invoked. */
const standIn = `#!${process.execPath}
const { readFileSync, writeFileSync } = require("node:fs")
const call = { arguments: process.argv.slice(2), stdin: readFileSync(0, "utf8"), env: process.env }
writeFileSync("call.json", JSON.stringify(call))
`

/** Runs the invocation in a fresh directory, with a command of that name on the PATH. */
const call = (
  profile: Profile,
  prompt: string,
  around: Record<string, string> = {},
  given: Pick<Invocation.Options, "model" | "session"> = {}
) =>
  Effect.gen(function* () {
    const directory = yield* TemporaryDirectory.make
    const [name] = profile.command
    writeFileSync(join(directory, name), standIn)
    chmodSync(join(directory, name), 0o755)
    const file = join(directory, "logs", "unit", "01-attempt-1.1")
    const invocation = yield* Invocation.make(Command({ profile }), { prompt, ...given, scripts: [], file })
    const { outcome } = yield* Effect.flatMap(ProcessRunner, (runner) =>
      runner.run({
        ...invocation,
        jobId,
        attempt: 1,
        purpose: "test",
        cwd: directory,
        output: join(directory, "output.log"),
        grace: () => Duration.seconds(1)
      })
    ).pipe(
      Effect.provide(
        Layer.provide(
          layer,
          Layer.succeed(ParentEnvironment, { ...around, PATH: `${directory}:${process.env["PATH"]}` })
        )
      )
    )
    expect(outcome).toEqual({ _tag: "Exited", code: 0 })
    const text = readFileSync(join(directory, "call.json"), "utf8")
    return { ...(yield* Schema.decode(Schema.parseJson(Call))(text)), file: `${file}.prompt.md`, invocation }
  }).pipe(Effect.provide(NodeContext.layer))

const profile = (prompt: Profile["prompt"], ...command: readonly [string, ...ReadonlyArray<string>]) =>
  new Profile({ name: "mine", command, prompt, env: ["MY_KEY"] })

const text = "# Weave\n\nA `web` with 'quotes', \"more\", $HOME, {prompt} and ünïcödé.\n"

describe("an agent", () => {
  for (const preset of presets) {
    it.scopedLive(`${preset.name} is invoked as in its preset, with no other environment variables`, () =>
      Effect.gen(function* () {
        const secrets = {
          ANTHROPIC_API_KEY: "a",
          OPENAI_API_KEY: "o",
          AWS_SECRET_ACCESS_KEY: "s",
          CHARLOTTE_HOME: "/h"
        }
        const { arguments: given, env, invocation, stdin } = yield* call(preset, text, secrets)
        expect([preset.command[0], ...given]).toEqual(preset.command)
        expect(stdin).toBe(text)
        expect(Object.keys(env).filter((name) => name in secrets)).toEqual([
          preset.name === "claude" ? "ANTHROPIC_API_KEY" : "OPENAI_API_KEY"
        ])
        expect(invocation.limits).toMatchObject({ total: Duration.hours(1), silence: Duration.minutes(20) })
        const resumed = yield* call(preset, text, {}, { session: "019a77e4" })
        expect(resumed.arguments).toContain("019a77e4")
        expect(resumed.arguments.filter((word) => word !== "019a77e4")).toEqual(
          (preset.resume ?? []).slice(1).filter((word) => word !== "{session}")
        )
        expect(resumed.stdin).toBe(text)
      })
    )
  }

  it.scopedLive("is given the model of a task by the words of its profile, before a prompt that is appended", () =>
    Effect.gen(function* () {
      const model = (words: readonly [string, ...ReadonlyArray<string>]) =>
        new Profile({ ...profile("argument", "agent", "-p"), model: words })
      const given = yield* call(model(["--model", "{model}", "--as={model}"]), text, {}, { model: "opus-$&" })
      expect(given.arguments).toEqual(["-p", "--model", "opus-$&", "--as=opus-$&", text])
      expect((yield* call(model(["--model", "{model}"]), text)).arguments).toEqual(["-p", text])
      const ends = presets.map((preset) => call(preset, text, {}, { model: "big" }))
      const words = (yield* Effect.all(ends)).map(({ arguments: given }) => given.slice(-2))
      expect(words).toEqual([
        ["--model", "big"],
        ["-m", "big"]
      ])
    })
  )

  it.scopedLive("receives the prompt in a file that only its owner can read", () =>
    Effect.gen(function* () {
      const last = yield* call(profile("file", "agent", "--file"), text)
      expect(last.arguments).toEqual(["--file", last.file])
      expect(last.stdin).toBe("")
      expect(readFileSync(last.file, "utf8")).toBe(text)
      expect(statSync(last.file).mode & 0o777).toBe(0o600)
      const placed = yield* call(profile("file", "agent", "-f", "{prompt}", "-v"), text, { MY_KEY: "k", OTHER: "o" })
      expect(placed.arguments).toEqual(["-f", placed.file, "-v"])
      expect(placed.env).toMatchObject({ MY_KEY: "k" })
      expect(placed.env).not.toHaveProperty("OTHER")
    })
  )

  it.scopedLive("receives the prompt as an argument that is never parsed as a flag", () =>
    Effect.gen(function* () {
      expect((yield* call(profile("argument", "agent", "-p"), text)).arguments).toEqual(["-p", text])
      const placed = yield* call(profile("argument", "agent", "{prompt}", "{prompt}", "--yes"), "--help me")
      expect(placed.arguments).toEqual(["\n--help me", "\n--help me", "--yes"])
    })
  )

  it.scopedLive("leaves its prompt beside the logs, however it was passed", () =>
    Effect.gen(function* () {
      const { file } = yield* call(profile("stdin", "agent"), text)
      expect(readFileSync(file, "utf8")).toBe(text)
      expect(statSync(dirname(file)).mode & 0o777).toBe(0o700)
    })
  )

  it.scoped("script runs the sh blocks of the task, up to the first that fails", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      mkdirSync(join(directory, "logs"))
      const file = join(directory, "logs", "01-attempt-1.1")
      const scripts = ["echo one > out\n", "false\n", "echo two >> out\n"]
      const invocation = yield* Invocation.make(Script({ env: ["CI"] }), { prompt: "unused", scripts, file })
      expect(invocation).toEqual({ command: ["sh", "-e", `${file}.agent.sh`], inherit: ["CI"], limits: {} })
      expect(statSync(`${file}.agent.sh`).mode & 0o777).toBe(0o600)
      const { outcome } = yield* Effect.flatMap(ProcessRunner, (runner) =>
        runner.run({
          ...invocation,
          jobId,
          attempt: 1,
          purpose: "test",
          cwd: directory,
          output: join(directory, "output.log"),
          grace: () => Duration.seconds(1)
        })
      )
      expect(outcome).toEqual({ _tag: "Exited", code: 1 })
      expect(readFileSync(join(directory, "out"), "utf8")).toBe("one\n")
    }).pipe(Effect.provide([layer, NodeContext.layer]))
  )

  it.effect("fails if its files cannot be written", () =>
    Effect.gen(function* () {
      const make = Invocation.make(Script({ env: [] }), { prompt: "", scripts: [], file: "/dev/null/below" })
      expect(yield* Effect.flip(make)).toMatchObject({ _tag: "SystemError" })
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
