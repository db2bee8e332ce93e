/** A disk that is full for a while, when a unit begins or while an agent works. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager } from "charlotte"
import { Effect, Layer, Stream } from "effect"
import { json } from "../../../src/progress/payload.js"
import { FreeSpace } from "../../../src/process/FreeSpace.js"
import * as Repository from "../../support/Repository.js"
import { charlotte, ended, repository, run, task } from "../Jobs.js"
import { type Config, counted, counting } from "./Scenes.js"

/** Runs a job on a disk that is full from its first failure until the job waits for room. */
const onFullDisk = (world: Repository.Sandbox, config: Config, waits: (payload: unknown) => unknown) =>
  Effect.gen(function* () {
    const disk = { isFull: true }
    const freeSpace = Layer.succeed(FreeSpace, () => Effect.sync(() => (disk.isFull ? 0 : Infinity)))
    const job = yield* Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const id = yield* manager.start(config)
      const waiting = Stream.takeUntil(manager.events(id), ({ payload }) => waits(payload) !== undefined)
      yield* Stream.runDrain(waiting)
      disk.isFull = false
      return yield* ended(id)
    }).pipe(Effect.provide(Layer.provide(charlotte(world), freeSpace)))
    expect([job.run.status, job.run.error, disk.isFull]).toEqual(["completed", undefined, false])
    return job
  })

describe("a full disk", () => {
  it.scopedLive("keeps a unit from beginning until it has room, by the words of git, and fails nothing", () =>
    Effect.gen(function* () {
      const sandbox = yield* Repository.sandbox
      const executable = `${sandbox.root}/bin/git`
      const wrapper = `#!/bin/sh
case "$*" in *read-tree*-u*) if ! test -e '${sandbox.root}/tried'; then
  touch '${sandbox.root}/tried'
  echo "fatal: sha1 file '.git/index.lock' write error. Out of diskspace" >&2
  exit 128
fi;; esac
exec git "$@"
`
      yield* sandbox.write(executable, wrapper, 0o755)
      const world = { ...sandbox, environment: { ...sandbox.environment, executable } }
      const { config } = yield* repository(world, { "01-a.md": task(1, "touch out.txt", "test -e out.txt") })
      const { events, run: end } = yield* Effect.provide(run(config), charlotte(world))
      expect([end.status, end.error]).toEqual(["completed", undefined])
      const waiting = events.filter(({ type }) => type === "orch.waiting").map(({ payload }) => payload)
      expect(waiting).toEqual([{ reason: "the disk is full" }])
    })
  )

  it.scopedLive("does not count as a failure of setup", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const setup = `${counting(world, "setup")}; test $(wc -l < '${world.root}/count-setup') -gt 3`
      const { config } = yield* repository(world, {
        "charlotte.yaml": `setup: ${JSON.stringify(setup)}\n`,
        "01-a.md": task(1, "touch out.txt", "test -e out.txt")
      })
      const isFull = (payload: unknown) => (json(payload, "reason") === "the disk is full" ? true : undefined)
      const { types } = yield* onFullDisk(world, config, isFull)
      expect(types.filter((type) => type.startsWith("unit.setup.failed"))).toHaveLength(3)
      expect(yield* counted(world, "setup")).toBe(4)
    })
  )

  it.scopedLive("uses no attempt of an agent that has met it", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const script = `${counting(world, "agent")}
        test $(wc -l < '${world.root}/count-agent') -gt 1 || { echo "ENOSPC: no space left on device"; exit 1; }
        touch out.txt`
      const { config } = yield* repository(world, {
        "charlotte.yaml": "attempts: 1\n",
        "01-a.md": task(1, script, "test -e out.txt")
      })
      const { events, work } = yield* onFullDisk(world, config, (payload) => json(payload, "note"))
      expect(work.tasks).toMatchObject([
        { state: "completed", failures: 0, notes: ["the disk is full: attempt 1 goes on once there is room"] }
      ])
      const retry = events.find(({ type }) => type === "task.retry")
      expect(retry?.payload).toMatchObject({ class: "failed", attempt: 1, pause: 0 })
    })
  )
})
