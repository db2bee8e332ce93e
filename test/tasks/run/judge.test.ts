/** Gates that give two answers on the same files. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import * as Repository from "../../support/Repository.js"
import { charlotte, ended, repository, run, task } from "../Jobs.js"
import { killedOnce, manager } from "./Life.js"
import { counted, counting } from "./Scenes.js"
import * as Witness from "./Witness.js"

/** A gate that passes in these of its runs, from 1. */
const passing = (world: Repository.Sandbox, ...runs: ReadonlyArray<number>) =>
  `${counting(world, "gate")}\ncase $(wc -l < '${world.root}/count-gate' | tr -d ' ') in ${runs.join("|")}) ;; *) exit 1 ;; esac`

const job = (settings: string, gate: (world: Repository.Sandbox) => string, more: Record<string, string> = {}) =>
  Effect.gen(function* () {
    const world = yield* Repository.sandbox
    const { config } = yield* repository(world, {
      "charlotte.yaml": settings,
      "01-out.md": task(1, "echo out > out.txt", gate(world)),
      ...more
    })
    const ended = yield* run(config).pipe(Effect.provide(charlotte(world)))
    return { ...ended, gates: yield* counted(world, "gate"), logs: `${world.root}/charlotte/logs/${ended.id}/tasks` }
  })

describe("a gate that has passed", () => {
  it.scopedLive("is not run again by default", () =>
    Effect.gen(function* () {
      const { gates, work } = yield* job("attempts: 2\n", (world) => passing(world, 1))
      expect(work.tasks).toMatchObject([{ state: "completed", failures: 0, notes: [] }])
      expect(gates).toBe(1)
    })
  )

  it.scopedLive("is run again with twice, and the second answer counts; both outputs are kept", () =>
    Effect.gen(function* () {
      const gate = (world: Repository.Sandbox) => `echo run; ${passing(world, 1, 3, 4, 5)}`
      const { gates, logs, work } = yield* job("gates: { twice: true }\n", gate)
      const [first, second] = [`${logs}/01-attempt-1.1.gate.log`, `${logs}/01-attempt-1.1.gate-again.log`]
      expect(work.tasks).toMatchObject([
        { state: "completed", failures: 1, notes: [{ _tag: "flaky", logs: [first, second] }, { _tag: "flaky" }] }
      ])
      for (const log of [first, second]) expect(readFileSync(log, "utf8")).toBe("run\n")
      expect(gates).toBe(4)
    })
  )

  it.scopedLive(
    "is run again if it has failed on the same files, which is a note, and from then on for each task",
    () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const gate = passing(world, 2, 3, 4, 5)
        const { config } = yield* repository(world, {
          "01-out.md": task(1, "echo out > out.txt", gate),
          "02-more.md": task(2, "echo more > more.txt", gate, [1])
        })
        const { id, work } = yield* run(config).pipe(Effect.provide(charlotte(world)))
        const logs = `${world.root}/charlotte/logs/${id}/tasks`
        expect(work.tasks).toMatchObject([
          {
            state: "completed",
            failures: 1,
            notes: [{ _tag: "flaky", logs: [`${logs}/01-attempt-1.2.gate.log`, `${logs}/01-attempt-1.1.gate.log`] }]
          },
          { state: "completed", failures: 0, notes: [] }
        ])
        expect(yield* counted(world, "gate")).toBe(5)
        expect(existsSync(`${logs}/02-attempt-1.1.gate-again.log`)).toBe(true)
      })
  )

  it.scopedLive("is a failed attempt if it is flaky and the settings say so", () =>
    Effect.gen(function* () {
      const { gates, work } = yield* job("attempts: 2\ngates: { flaky: fail }\n", (world) => passing(world, 2, 3))
      expect(work.tasks).toMatchObject([
        {
          state: "failed",
          failures: 2,
          reason: "the gate is flaky: it failed before on the same files, and passed now",
          notes: [{ _tag: "flaky" }]
        }
      ])
      expect(gates).toBe(3)
    })
  )

  it.scopedLive("is flaky, too, if it failed on these files before a kill -9 of the manager", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const script = `echo out > out.txt; ${counting(world, "turns")}
        test $(wc -l < '${world.root}/count-turns') -ne 2 || { touch '${world.root}/cut'; sleep 1000; }`
      const { config } = yield* repository(world, {
        "charlotte.yaml": "attempts: 2\ngates: { flaky: fail }\n",
        "01-out.md": task(1, script, passing(world, 3, 4))
      })
      const { id } = yield* killedOnce(world, { ...config, agent: "claude" }, `${world.root}/cut`)
      const { work } = yield* ended(id).pipe(Effect.provide(manager(world)))
      expect(work.tasks).toMatchObject([{ state: "failed", failures: 2, notes: [{ _tag: "flaky" }] }])
      expect(work.tasks[0]?.reason).toContain("the gate is flaky")
      expect(yield* counted(world, "gate")).toBe(4)
    })
  )

  it.scopedLive("is not flaky if the files have changed since it failed", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, {
        "01-out.md": task(1, "echo x >> out.txt", `${counting(world, "gate")}\ntest "$(wc -l < out.txt)" -eq 2`)
      })
      const { work } = yield* run(config).pipe(Effect.provide(charlotte(world)))
      expect(work.tasks).toMatchObject([{ state: "completed", failures: 1, notes: [] }])
      expect(yield* counted(world, "gate")).toBe(2)
    })
  )
})
