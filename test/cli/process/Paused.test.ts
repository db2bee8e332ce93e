/** A pause is no verdict: what stood still for longer than an agent may be silent is not taken for silent. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { isLong } from "../../support/long.js"
import { task } from "../../tasks/Jobs.js"
import * as Charlotte from "./Charlotte.js"
import * as Daemon from "./Daemon.js"
import * as Tasks from "./Tasks.js"

/** How long the agent may be silent, and how long the pause is, in seconds. */
const [silence, pause] = isLong ? [8, 90] : [2, 5]

const limits = { timeout: (pause + silence) * 1_000 + 60_000 }

/** An agent that prints more often than it has to, until it may end; inside a script that prints nothing and waits for it. */
const agent = (root: string) =>
  `sh -c 'echo $$ > "${root}/inner"; until test -e "${root}/go"; do echo at work; sleep 0.2; done'\necho done > one\n`

const world = Effect.gen(function* () {
  const world = yield* Charlotte.world(() => ({
    "charlotte.yaml": "agent: printer\nattempts: 1\n",
    "01-one.md": task(1, "", "grep done one")
  }))
  const { home, root } = world
  writeFileSync(`${root}/agent.sh`, `echo $$ > "${root}/outer"\n${agent(root)}`)
  mkdirSync(home, { recursive: true, mode: 0o700 })
  writeFileSync(
    `${home}/config.yaml`,
    `agents:\n  printer:\n    command: [sh, "${root}/agent.sh"]\n    prompt: file\n    silence: ${silence} seconds\n`,
    { mode: 0o600 }
  )
  return world
})

const until = (condition: () => boolean) =>
  Effect.sync(condition).pipe(Effect.repeat({ until: (holds) => holds, schedule: Schedule.spaced("20 millis") }))

const pidIn = ({ root }: Charlotte.World, name: "inner" | "outer") =>
  until(() => existsSync(`${root}/${name}`) && readFileSync(`${root}/${name}`, "utf8").endsWith("\n")).pipe(
    Effect.map(() => Number(readFileSync(`${root}/${name}`, "utf8")))
  )

const isStopped = (pid: number) => readFileSync(`/proc/${pid}/stat`, "utf8").includes(") T ")

/** All of them stand still for the pause. */
const standStill = (pids: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    for (const pid of pids) process.kill(pid, "SIGSTOP")
    yield* until(() => pids.every(isStopped))
    yield* Effect.sleep(pause * 1_000)
    for (const pid of pids) process.kill(pid, "SIGCONT")
  })

/** It has not ended a while later, when all that was counted wrongly would have shown; and then it ends well. */
const goesOn = (world: Charlotte.World) => Effect.zipRight(Effect.sleep(silence * 1_500), Tasks.release(world))

const completed = (world: Charlotte.World) =>
  Effect.gen(function* () {
    expect(yield* world.git(world.repository, "show", "main:one")).toBe("done\n")
    expect(Charlotte.processes(world)).toEqual([])
  })

/** Those that stand still, of the manager and the two processes of the agent. */
const cases: { readonly [name: string]: ReadonlyArray<"manager" | "outer" | "inner"> } = {
  "manager and agent": ["manager", "outer", "inner"],
  "only the manager, while the agent prints": ["manager"],
  "only the agent": ["outer", "inner"],
  "only the agent that a script waits for": ["inner"]
}

describe(`a pause of ${pause} s with a silence limit of ${silence} s`, () => {
  for (const [name, who] of Object.entries(cases))
    it.scopedLive(
      `of ${name} fails no job`,
      () =>
        Effect.gen(function* () {
          const here = yield* world
          const { err, ended, pid } = yield* Effect.map(
            Charlotte.start(here, "exec charlotte run tasks"),
            (running) => ({ ...running, err: Effect.map(running.ended, ({ err, out }) => out + err) })
          )
          const pids = { manager: pid, outer: yield* pidIn(here, "outer"), inner: yield* pidIn(here, "inner") }
          yield* standStill(who.map((name) => pids[name]))
          yield* goesOn(here)
          expect((yield* ended).code, yield* err).toBe(0)
          yield* completed(here)
        }),
      limits
    )

  it.scopedLive(
    "of a daemon and its agent fails no job",
    () =>
      Effect.gen(function* () {
        const here = yield* world
        const { pid } = yield* Daemon.up(here)
        const id = yield* Daemon.submit(here)
        yield* standStill([pid, yield* pidIn(here, "outer"), yield* pidIn(here, "inner")])
        yield* goesOn(here)
        const { code, out } = yield* Charlotte.run(here, `exec charlotte watch ${id}`)
        expect(code, out).toBe(0)
        yield* Daemon.down(here)
        yield* completed(here)
      }),
    limits
  )

  it.scopedLive(
    "by Ctrl-Z, ended by fg, fails no job of charlotte run",
    () =>
      Effect.gen(function* () {
        const here = yield* world
        const terminal = yield* Charlotte.start(
          here,
          `exec script --quiet --return --command 'bash --norc -i' /dev/null`,
          { variables: { PS1: "prompt> ", SHELL: "/bin/sh" } }
        )
        yield* terminal.type("charlotte run tasks\n")
        yield* pidIn(here, "inner")
        yield* terminal.type("\x1a")
        yield* terminal.says(/Stopped +charlotte run tasks/)
        yield* Effect.sleep(pause * 1_000)
        yield* terminal.type("fg\n")
        yield* goesOn(here)
        yield* terminal.says(/✓ completed in /)
        yield* terminal.type("exit\n")
        expect((yield* terminal.ended).out).not.toContain("printed nothing")
        yield* completed(here)
      }),
    limits
  )
})
