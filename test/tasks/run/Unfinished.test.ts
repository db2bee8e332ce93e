/** Turns that are cut off at random moments, again and again, while their agents write files. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { Effect, Random } from "effect"
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs"
import { eventually, killWith } from "../../process/workshop.js"
import { isLong } from "../../support/long.js"
import { ended, task, unit, untilClosed } from "../Jobs.js"
import { expectNothingOf } from "../UnfinishedWork.js"
import * as Life from "./Life.js"
import type { Config } from "./Scenes.js"
import * as Witness from "./Witness.js"
import { resumeParked, script, writer } from "./Writer.js"

/** How a turn is cut off, and what happens before the next one. */
const ways = [
  "kill -9 of the manager",
  "SIGTERM of the manager",
  "closing of the manager",
  "stop of the job, and a retry",
  "limit of the agent",
  "limit of the agent, reached by one unit while the others fail their gates",
  "limit of the agent, after which a worktree is removed",
  "kill -9 of the manager while the agent reaches its limit"
] as const
type Way = (typeof ways)[number]

const tasksOf = (units: ReadonlyArray<string>) => ({
  "charlotte.yaml": "attempts: 100000\n",
  ...Object.fromEntries(
    units.flatMap((name) => [
      [`${name}/IMPLEMENTATION_PLAN.md`, unit()],
      [`${name}/01-task.md`, task(1, "true", `test -e "$WITNESS/finish"`)]
    ])
  )
})

const lines = (file: string): number => (existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0)

/** A job in a world, and what has happened to it. */
interface Scene {
  readonly world: Witness.World
  readonly program: string
  readonly units: ReadonlyArray<string>
  readonly config: Config
  /** The config of the job to start next, if the last one is over. */
  next: Config | undefined
  /** The verdicts on turns before the current job. */
  before: ReadonlyArray<number>
}

const verdicts = ({ units, world }: Scene) => units.map((name) => lines(`${world.witness}/verdicts-${name}`))

const manager = ({ world }: Scene) => Witness.manager(world, { profiles: [writer(world.root)] })

/** Waits until each unit writes files in another turn than so far, and some time longer. */
const underway = ({ units, world }: Scene) =>
  Effect.suspend(() => {
    const begun = (name: string) => lines(`${world.witness}/begun-${name}`)
    const former = units.map(begun)
    return Effect.zipRight(
      // Where a turn of an earlier manager has taken the file `probe`, the others wait for two minutes of the turn that probes.
      eventually(
        "each unit is in a turn",
        () => units.every((name, index) => begun(name) > (former[index] ?? 0)),
        900_000
      ),
      Effect.flatMap(Random.nextIntBetween(0, 300), (pause) => Effect.sleep(pause))
    )
  })

const latest = Effect.flatMap(RunStore.RunStore, (store) =>
  Effect.flatMap(Witness.latest, ({ id }) =>
    Effect.all({ run: Effect.flatten(store.get(id)), work: store.work.of(id) })
  )
)

/** Only turns that came to a gate have used attempts. */
const expectVerdicts = (scene: Scene) =>
  Effect.gen(function* () {
    const { run, work } = yield* latest
    const failed = verdicts(scene).map((count, index) => count - (scene.before[index] ?? 0))
    const expected = run.status === "completed" ? failed.map((count) => count - 1) : failed
    expect(scene.units.map((name) => work.tasks.find(({ unit }) => unit === name)?.failures)).toEqual(expected)
    return { run, work }
  })

/** Lets the agent of each unit reach its limit, or end its turn without passing its gate. */
const refuse = ({ units, world }: Scene, first: string, others: "limited" | "judged") =>
  Effect.gen(function* () {
    // The first turn after a limit finds out whether the agent works again.
    yield* world.write(`${world.witness}/probe`, "")
    yield* world.write(`${world.witness}/limited-${first}`, "")
    for (const name of units.filter((name) => name !== first)) {
      yield* Effect.flatMap(Random.nextIntBetween(0, 100), (pause) => Effect.sleep(pause))
      if (others === "judged") yield* limitRecorded
      yield* world.write(`${world.witness}/${others}-${name}`, "")
    }
  })

const limitRecorded = Effect.gen(function* () {
  const store = yield* RunStore.RunStore
  yield* Effect.repeat(Effect.zipRight(Effect.sleep("10 millis"), store.agentLimits.get("writer")), {
    until: (limit) => limit._tag === "Some"
  })
})

/** Lets the job go on, or begin, in another manager until all of its units are in a turn, and cuts them off. */
const cutOff = (scene: Scene, way: Way) =>
  Effect.gen(function* () {
    const { program, units, world } = scene
    const { next } = scene
    scene.next = undefined
    const first = units[yield* Random.nextIntBetween(0, units.length)] ?? ""
    if (way.startsWith("kill -9") || way.startsWith("SIGTERM")) {
      const life = yield* Life.begin(program, world, next)
      yield* life.until(underway(scene))
      if (way === "SIGTERM of the manager") return yield* life.terminate
      const isAtLimit = way === "kill -9 of the manager while the agent reaches its limit"
      if (isAtLimit) {
        for (const name of units) yield* world.write(`${world.witness}/limited-${name}`, "")
        yield* life.until(
          eventually("an agent is at its limit", () =>
            units.some((name) => !existsSync(`${world.witness}/limited-${name}`))
          )
        )
        yield* Effect.flatMap(Random.nextIntBetween(0, 500), (pause) => Effect.sleep(pause))
      }
      yield* life.kill
      // A turn that has just begun would take the file `probe`, and its manager records no verdict any more.
      if (isAtLimit) yield* killWith(`WITNESS=${world.witness}`)
      for (const name of units) {
        if (!existsSync(`${world.witness}/limited-${name}`)) yield* world.write(`${world.witness}/probe`, "")
        rmSync(`${world.witness}/limited-${name}`, { force: true })
      }
      return
    }

    const { close, context } = yield* untilClosed(manager(scene))
    yield* Effect.gen(function* () {
      const { start, stop } = yield* JobManager.JobManager
      if (next !== undefined) yield* start(next)
      yield* Effect.raceFirst(Effect.orDie(resumeParked), underway(scene))
      const { run } = yield* latest
      if (way.startsWith("stop")) {
        yield* stop(run.id)
        yield* expectVerdicts(scene)
        scene.next = { ...scene.config, retryOf: run.id }
        scene.before = verdicts(scene)
      }
      if (!way.startsWith("limit")) return
      yield* refuse(scene, first, way.endsWith("gates") ? "judged" : "limited")
      yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), latest), {
        until: ({ run }) => run.status === "parked"
      })
      const { work } = yield* expectVerdicts(scene)
      const removed = work.units.find(({ unit }) => unit === first)?.worktree
      if (!way.endsWith("removed") || removed === undefined) return
      rmSync(removed, { recursive: true })
      // The changes of its commits come back uncommitted.
      yield* world.write(`${world.witness}/journal-${first}.commits`, "")
    }).pipe(Effect.provide(context))
    yield* close
  }).pipe(Effect.scoped)

/** Prints how far the job has come where it does not go on. */
const report = ({ world }: Scene, way: Way) =>
  Effect.gen(function* () {
    const { run, work } = yield* latest
    const units = work.units.map(({ reason, state, unit }) => [unit, state, reason])
    process.stderr.write(`${way}: ${JSON.stringify([run.status, run.parked, run.error, units])}\n`)
  }).pipe(Effect.provide(Witness.records(world)), Effect.orDie)

/** The number of cuts, and the seed from which their kinds and moments follow, as far as the machine does the same again. */
const cuts = Number(process.env["CHARLOTTE_TEST_CUTS"] ?? (isLong ? 200 : ways.length))
const seed = Number(
  process.env["CHARLOTTE_TEST_CUTS_SEED"] ?? (isLong ? Math.floor(Math.random() * 2 ** 31) : 20_261_129)
)

describe("unfinished work", () => {
  for (const units of [["a"], ["a", "b", "c", "d"]])
    it.scopedLive(
      `is complete after each kind of cut at random moments, while files are written in ${units.length} units`,
      () =>
        Effect.gen(function* () {
          const world = yield* Witness.world
          const job = yield* Witness.job(world, tasksOf(units), units.length)
          const config = { ...job.config, agent: "writer" }
          yield* world.write(`${world.root}/agent.sh`, script)
          const program = yield* Life.program
          const scene: Scene = { world, program, units, config, next: config, before: units.map(() => 0) }
          for (let made = 0; made < cuts; made += ways.length) {
            const shuffled = [...(yield* Random.shuffle(ways))]
            // A job whose manager dies three times in a row in the same command fails, so each round begins with another cut.
            const other = shuffled.findIndex((way) => !way.startsWith("kill"))
            const order = [...shuffled.slice(other), ...shuffled.slice(0, other)]
            for (const way of order.slice(0, cuts - made)) {
              yield* Effect.onError(cutOff(scene, way), () => report(scene, way))
              yield* expectNothingOf(world, job.top)
              expect(existsSync(`${world.witness}/lost`) && readFileSync(`${world.witness}/lost`, "utf8"), way).toBe(
                false
              )
            }
          }

          yield* Effect.gen(function* () {
            const { start } = yield* JobManager.JobManager
            if (scene.next !== undefined) yield* start(scene.next)
            const { id } = yield* Witness.latest
            yield* Effect.raceFirst(Effect.orDie(resumeParked), underway(scene))
            // Not before, since agents of a killed manager would end their turns by it, too.
            yield* world.write(`${world.witness}/finish`, "")
            const { run } = yield* Effect.raceFirst(Effect.orDie(resumeParked), ended(id))
            expect([run.status, run.error]).toEqual(["completed", undefined])
            yield* expectVerdicts(scene)
          }).pipe(Effect.provide(manager(scene)))
          mkdirSync(`${world.root}/landed`)
          yield* world.shell(job.top, `git archive main | tar -x -C '${world.root}/landed'`)
          const journals = units.map((name) => `sha256sum --check --quiet '${world.witness}/journal-${name}'`)
          yield* world.shell(`${world.root}/landed`, journals.join("\n"))
          expect(existsSync(`${world.root}/landed/b.txt`)).toBe(false)
          expect(yield* world.shell(job.top, "git fsck --no-dangling --no-progress 2>&1")).toBe("")
        }).pipe(
          Effect.withRandom(Random.make(seed)),
          Effect.onError(() =>
            Effect.sync(() => process.stderr.write(`to play it again: CHARLOTTE_TEST_CUTS_SEED=${seed}\n`))
          )
        ),
      7_200_000
    )
})
