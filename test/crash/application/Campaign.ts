/**
 * Applications that are killed one after another over one database, and one at last that may come to its end.
 */
import { Effect, Random } from "effect"
import { writeFileSync } from "node:fs"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import type { Agenda } from "../Agenda.js"
import * as Life from "../Life.js"
import * as Inspection from "./Inspection.js"
import * as Points from "./Points.js"
import * as Said from "./Said.js"

export interface Outcome {
  readonly kills: number
  /** The longest time, in milliseconds, that it took to be ready. */
  readonly slowest: number
  /** Kills that have left pending runs, and parked ones. */
  readonly pending: number
  readonly parked: number
  readonly jobs: number
  readonly completed: number
  readonly events: number
  readonly wrong: ReadonlyArray<string>
  /** Where it was killed. */
  readonly story: ReadonlyArray<string>
}

const longestRecovery = 2_000
const patienceAtPoint = "15 seconds"
const longestEnd = "2 minutes"

interface World {
  readonly root: string
  readonly home: string
  readonly variables: Readonly<Record<string, string>>
  readonly said: Array<Said.Said>
}

const begin = (program: string, world: World, agenda: Agenda, point?: string) =>
  Life.begin(program, world, {
    point,
    onPassed: agenda.passed,
    onSaid: (text) => world.said.push(Said.decode(text))
  })

/** One life, to its death at a point, or at a random moment. */
const liveAndDie = (program: string, world: World, agenda: Agenda) =>
  Effect.gen(function* () {
    const point = yield* agenda.next
    const isEarly = point !== undefined && Points.isEarly(point)
    const life = yield* begin(program, world, agenda, isEarly ? point : undefined)
    const wrong: Array<string> = []
    if (yield* life.ready) {
      if (life.recovery() > longestRecovery) wrong.push(`it took ${Math.round(life.recovery())} ms until it was ready`)
      yield* Effect.sleep(yield* Random.nextIntBetween(50, 500))
      if (point !== undefined) {
        yield* life.arm(point)
        if (Points.isLate(point)) yield* life.signal("SIGTERM")
        yield* Effect.timeout(life.ended, patienceAtPoint).pipe(Effect.ignore)
      } else if ((yield* Random.nextIntBetween(0, 6)) === 0) {
        yield* life.signal("SIGTERM")
        yield* Effect.sleep(yield* Random.nextIntBetween(0, 50))
      }
    }
    yield* life.signal("SIGKILL")
    const end = yield* life.ended
    if (end.point !== undefined) agenda.hit(end.point)
    const isKilled = end.signal === "SIGKILL"
    if (!isKilled && end.code !== 0) wrong.push(`the application ended with ${end.code ?? end.signal}`)
    const complaints = end.log.split("\n").filter((line) => /level=(ERROR|FATAL)/.test(line))
    return { wrong: [...wrong, ...complaints], isKilled, recovery: life.recovery(), at: end.point ?? "a random moment" }
  }).pipe(Effect.scoped)

const finish = (program: string, world: World, agenda: Agenda) =>
  Effect.gen(function* () {
    yield* Effect.sync(() => writeFileSync(`${world.home}/go`, ""))
    const life = yield* begin(program, world, agenda)
    yield* Effect.timeout(life.ended, longestEnd).pipe(Effect.ignore)
    yield* life.signal("SIGKILL")
    const { code, log } = yield* life.ended
    return code === 0 ? [] : [`the last application has not come to its end: ${log}`]
  }).pipe(Effect.scoped)

export const run = (options: {
  readonly program: string
  readonly agenda: Agenda
  readonly kills: number
}): Effect.Effect<Outcome> =>
  Effect.gen(function* () {
    const { agenda, kills, program } = options
    const root = yield* TemporaryDirectory.make
    const variables = { PATH: process.env["PATH"] ?? "", APPLICATION: root, SEED: String(yield* Random.next) }
    const world: World = { root, home: root, variables, said: [] }
    const figures = { kills: 0, slowest: 0, pending: 0, parked: 0 }
    const wrong: Array<string> = []
    const story: Array<string> = []
    while (figures.kills < kills && wrong.length === 0) {
      const death = yield* liveAndDie(program, world, agenda)
      const found = yield* Inspection.dead(world, world.said)
      story.push(death.at)
      wrong.push(...death.wrong, ...found.wrong)
      figures.slowest = Math.max(figures.slowest, death.recovery)
      if (!death.isKilled) continue
      figures.kills += 1
      if (found.runs.some(({ status }) => status === "pending")) figures.pending += 1
      if (found.runs.some(({ status }) => status === "parked")) figures.parked += 1
    }
    if (wrong.length === 0) wrong.push(...(yield* finish(program, world, agenda)))
    const { events, runs, wrong: left } = yield* Inspection.dead(world, world.said)
    return {
      ...figures,
      jobs: runs.length,
      completed: runs.filter(({ status }) => status === "completed").length,
      events,
      wrong: wrong.length > 0 ? wrong : [...left, ...Inspection.unfinished(runs)],
      story
    }
  }).pipe(Effect.scoped, Effect.orDie)
