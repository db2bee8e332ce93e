/** How `charlotte run` is left, politely and not, and that what was left goes on. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { isLong } from "../../support/long.js"
import * as Charlotte from "./Charlotte.js"
import * as Tasks from "./Tasks.js"

/** A job that waits in its second task. */
const working = (files: Parameters<typeof Charlotte.world>[0]) =>
  Effect.gen(function* () {
    const world = yield* Charlotte.world(files)
    const running = yield* Charlotte.start(world, "exec charlotte run tasks")
    yield* Tasks.reached(world)
    return { world, running }
  })

/** Does what was said, and sees that it leads to the end, with no task done twice. */
const goOn = (world: Charlotte.World, command: string) =>
  Effect.gen(function* () {
    expect(Charlotte.processes(world)).toEqual([])
    yield* Tasks.release(world)
    const { code, err, out } = yield* Charlotte.run(world, command)
    expect([code, err]).toEqual([0, ""])
    expect(out).toMatch(/\n {2}units {4}2 merged\n {2}tasks {4}3 done\n/)
    expect(yield* Tasks.done(world)).toEqual(Tasks.all)
    expect(yield* world.git(world.repository, "status", "--porcelain")).toBe("")
  })

describe("charlotte run on a signal", () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    it.scopedLive(`${signal} leaves the job interrupted and prints how to resume it`, () =>
      Effect.gen(function* () {
        const { running, world } = yield* working(Tasks.waiting())
        yield* running.kill(signal)
        const ended = yield* running.ended
        expect([ended.code, ended.err]).toEqual([130, "stopping; press Ctrl-C again to kill what is still running\n"])
        expect(ended.out).toMatch(/ job \w{26} interrupted by a shutdown\n\n! interrupted after /)
        const [, id] = / job (\w{26}) started\n/.exec(ended.out) ?? []
        expect(Charlotte.next(ended)).toBe(`charlotte resume ${id}`)
        const doctor = yield* Charlotte.run(world, "exec charlotte doctor")
        expect(doctor.out).toContain(
          `! jobs           ${id} was interrupted\n                 → charlotte resume ${id}\n`
        )
        yield* goOn(world, Charlotte.next(ended))
      })
    )
  }

  for (const signals of [
    ["SIGINT", "SIGINT"],
    ["SIGTERM", "SIGTERM"],
    ["SIGINT", "SIGTERM"]
  ] as const) {
    it.scopedLive(`${signals.join(" and ")} kills a stubborn agent at once`, () =>
      Effect.gen(function* () {
        const { running, world } = yield* working(Tasks.stubborn)
        yield* running.kill(signals[0])
        yield* running.says(/^stopping;/)
        // What comes at once is taken for one: it is given to all, and passed on besides.
        yield* Effect.sleep("200 millis")
        yield* running.kill(signals[1])
        // It would be given two minutes.
        const ended = yield* running.ended
        expect(ended.code).toBe(130)
        yield* goOn(world, Charlotte.next(ended))
      })
    )
  }

  it.scopedLive("two signals at once, as from npx, count as one", () =>
    Effect.gen(function* () {
      const { running, world } = yield* working(Tasks.waiting(`trap 'touch "$HOME/heard"; sleep 1; exit' TERM`))
      yield* running.kill("SIGINT")
      yield* running.kill("SIGINT")
      const ended = yield* running.ended
      expect(ended.code).toBe(130)
      expect(yield* world.git(world.root, "-C", `${world.root}/home`, "hash-object", "heard")).toMatch(/^\w{40}\n$/)
      yield* goOn(world, Charlotte.next(ended))
    })
  )

  it.scopedLive(
    "at any moment after its start leaves no job, or one that can be resumed",
    () =>
      Effect.gen(function* () {
        for (const millis of isLong ? [0, 250, 450, 600, 800, 1_100] : [0, 450, 800]) {
          yield* Effect.scoped(
            Effect.gen(function* () {
              const world = yield* Charlotte.world(Tasks.waiting())
              const running = yield* Charlotte.start(world, "exec charlotte run tasks")
              yield* Effect.sleep(millis)
              yield* running.kill("SIGINT")
              const ended = yield* running.ended
              expect(ended.code === 130 || ended.signal === "SIGINT").toBe(true)
              const { err, out } = yield* Charlotte.run(world, "exec charlotte doctor")
              expect(err).toBe("")
              const id = /! jobs +(\w{26}) was interrupted\n/.exec(out)?.[1]
              expect(out).toMatch(id === undefined ? /database {7}none yet|none unfinished/ : /interrupted/)
              expect(ended.out === "" ? undefined : Charlotte.next(ended)).toBe(id && `charlotte resume ${id}`)
              yield* Tasks.release(world)
              const rest = yield* Charlotte.run(
                world,
                `exec charlotte ${id === undefined ? "run tasks" : `resume ${id}`}`
              )
              expect([rest.code, rest.err]).toEqual([0, ""])
              expect(yield* Tasks.done(world)).toEqual(Tasks.all)
            })
          )
        }
      }),
    300_000
  )
})

describe("charlotte run killed by SIGKILL", () => {
  it.scopedLive("is resumed by its id after its orphans are reaped, without repeating a task", () =>
    Effect.gen(function* () {
      const { running, world } = yield* working(Tasks.stubborn)
      yield* running.kill("SIGKILL")
      const { out } = yield* running.ended
      const [, id] = / job (\w{26}) started\n/.exec(out) ?? []
      const left = Charlotte.processes(world)
      expect(left).not.toEqual([])
      const doctor = yield* Charlotte.run(world, "exec charlotte doctor")
      expect(doctor.out).toMatch(/\n! in use {9}no; charlotte run \(pid \d+, .* was killed, or the machine crashed\n/)
      expect(doctor.out).toContain(
        `! jobs           ${id} was interrupted by a crash\n                 → charlotte resume ${id}\n`
      )
      const resumed = yield* Charlotte.start(world, `exec charlotte resume ${id}`)
      yield* resumed.says(/ resumed .*\(attempt 2\)\n[^]* a 2 {2}Task 2\n/)
      expect(Charlotte.processes(world).filter((process) => left.includes(process))).toEqual([])
      yield* Tasks.release(world)
      expect((yield* resumed.ended).code).toBe(0)
      expect(yield* Tasks.done(world)).toEqual(Tasks.all)
    })
  )
})
