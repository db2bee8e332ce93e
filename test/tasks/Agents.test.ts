/** Known and installed agents. */
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import * as Agents from "../../src/tasks/Agents.js"
import { ParentEnvironment } from "../../src/process/ChildEnvironment.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"

const profile = (name: string, ...command: readonly [string, ...ReadonlyArray<string>]) =>
  new Agents.Profile({ name, command, prompt: "stdin", env: [] })

/** Writes a program that leaves a trace if it is run. */
const program = (path: string, mode = 0o755) => {
  writeFileSync(path, `#!/bin/sh\ntouch ${path}.ran\n`)
  chmodSync(path, mode)
}

const make = (PATH: string | undefined, ...profiles: ReadonlyArray<Agents.Profile>) =>
  Effect.provide(
    Agents.Agents,
    Agents.layer({ profiles, gates: { env: ["CI"] }, file: "/home/me/.charlotte/config.yaml" }).pipe(
      Layer.provide(Layer.succeed(ParentEnvironment, { PATH }))
    )
  )

describe("agents", () => {
  it.scoped("are found on the PATH or by absolute path, without running them", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      for (const name of ["bin", "other", "other/directory"]) mkdirSync(`${directory}/${name}`)
      program(`${directory}/bin/agent`)
      program(`${directory}/other/second`)
      program(`${directory}/other/plain`, 0o644)
      symlinkSync("agent", `${directory}/bin/link`)
      symlinkSync("nowhere", `${directory}/bin/dangling`)
      const { found, get, names } = yield* make(
        `/no/such:${directory}/bin:${directory}/other`,
        profile("onPath", "agent"),
        profile("later", "second"),
        profile("byPath", `${directory}/other/second`, "--flag"),
        profile("link", "link"),
        profile("dangling", "dangling"),
        profile("plain", "plain"),
        profile("directory", "directory"),
        profile("nowhere", `${directory}/nowhere`)
      )
      expect(names).toEqual(
        ["byPath", "dangling", "directory", "later", "link", "nowhere", "onPath", "plain", "script"].sort()
      )
      expect(yield* found).toEqual(["byPath", "later", "link", "onPath", "script"])
      expect(yield* get("byPath")).toMatchObject({ _tag: "Command", profile: { name: "byPath" } })
      expect(existsSync(`${directory}/bin/agent.ran`) || existsSync(`${directory}/other/second.ran`)).toBe(false)
    })
  )

  it.scoped("are not searched for in the working directory", () =>
    Effect.gen(function* () {
      const { found } = yield* make(":.:test/tasks", profile("a", "Agents.test.ts"))
      expect(yield* found).toEqual(["script"])
    })
  )

  it.effect("come with gates that may run for an hour", () =>
    Effect.map(make("/bin"), ({ gates }) => expect(gates).toEqual({ env: ["CI"], timeout: Duration.hours(1) }))
  )

  it.effect("are found in the system directories without a PATH", () =>
    Effect.gen(function* () {
      expect(yield* (yield* make(undefined, profile("shell", "sh"))).found).toEqual(["script", "shell"])
      expect(yield* (yield* make("", profile("shell", "sh"))).found).toEqual(["script"])
    })
  )

  it.effect("are searched for on every request", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const path = yield* TemporaryDirectory.file("agent")
        const { found } = yield* make("/bin", profile("late", path))
        expect(yield* found).toEqual(["script"])
        program(path)
        expect(yield* found).toEqual(["late", "script"])
      })
    )
  )

  it.effect("are the presets and script without configuration", () =>
    Effect.gen(function* () {
      const { gates, get, names } = yield* Agents.Agents
      expect(names).toEqual(["claude", "codex", "script"])
      expect(gates).toEqual({ env: [], timeout: Duration.hours(1) })
      expect(yield* get("script")).toEqual(Agents.Agent.Script({ env: [] }))
    }).pipe(Effect.provide(Agents.layerPresets))
  )

  it.effect("include script, which runs with the environment of gates", () =>
    Effect.gen(function* () {
      const { get } = yield* make("/bin")
      expect(yield* get("script")).toEqual(Agents.Agent.Script({ env: ["CI"] }))
    })
  )
})

describe("NoSuchAgent", () => {
  const agents = make(
    "/bin",
    profile("shell", "sh"),
    profile("robot", "no-such-robot", "-p"),
    profile("far", "/no/such")
  )
  const message = (name: string | undefined) =>
    Effect.flatMap(agents, ({ get }) => Effect.map(Effect.flip(get(name)), ({ message }) => message))

  it.effect("is raised if no agent is selected: there is no default", () =>
    Effect.gen(function* () {
      expect(yield* message(undefined)).toBe(
        "no agent is selected; select one with --agent or with agent: in charlotte.yaml: script, shell"
      )
    })
  )

  it.effect("is raised for an unknown agent, with a suggestion", () =>
    Effect.gen(function* () {
      expect(yield* message("shel")).toBe(
        'unknown agent "shel": did you mean "shell"? Known agents: far, robot, script, shell; ' +
          "configure more in /home/me/.charlotte/config.yaml"
      )
      expect(yield* message("gpt")).toBe(
        'unknown agent "gpt": expected one of far, robot, script, shell; ' +
          "configure more in /home/me/.charlotte/config.yaml"
      )
    })
  )

  it.effect("names the missing command and the configuration file", () =>
    Effect.gen(function* () {
      expect(yield* message("robot")).toBe(
        'agent "robot" needs the command no-such-robot, which is not on the PATH; install it, or configure its ' +
          "command in /home/me/.charlotte/config.yaml (agents: robot: command); installed on this machine: script, shell"
      )
      expect(yield* message("far")).toContain("the command /no/such, which does not exist or is not executable;")
    })
  )
})
