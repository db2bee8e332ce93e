/**
 * Daemons that are killed one after another in one world, and one at last that may come to its end.
 */
import { Effect, Exit, Fiber, Random } from "effect"
import type { Agenda } from "./Agenda.js"
import * as Driver from "./Driver.js"
import * as Inspection from "./Inspection.js"
import * as Ledger from "./Ledger.js"
import * as Life from "./Life.js"
import * as Points from "./Points.js"
import type * as Processes from "./Processes.js"
import * as World from "./World.js"

export interface Outcome {
  readonly kills: number
  /** Kills while an agent was at work. */
  readonly live: number
  /** Milliseconds. */
  readonly slowest: number
  readonly jobs: number
  readonly completed: number
  readonly events: number
  readonly wrong: ReadonlyArray<string>
  /** Where it was killed. */
  readonly story: ReadonlyArray<string>
}

/** How long a daemon may take until it is ready, in milliseconds. */
const longestRecovery = 2_000

/** How long it is waited for an agent, and for a point to be passed; and for all jobs to come to their end. */
const patience = "20 seconds"
const patienceAtPoint = "15 seconds"
const longestEnd = "3 minutes"

/** Returns when an agent has begun since now that stays; there is always a job for one. */
const agentBegins = (world: World.World) => {
  const before = World.calls(world).length
  const hasBegun = () => World.calls(world).slice(before).some(World.stays)
  return Effect.repeat(Effect.sleep(10), { until: hasBegun }).pipe(Effect.timeout(patience), Effect.ignore)
}

/** One life, to its death at a point, or at a random moment. */
const liveAndDie = (
  program: string,
  world: World.World,
  driver: Driver.Driver,
  agenda: Agenda,
  left: ReadonlyArray<Processes.Process>
) =>
  Effect.gen(function* () {
    const point = yield* agenda.next
    const isEarly = point === undefined ? (yield* Random.nextIntBetween(0, 12)) === 0 : Points.isEarly(point)
    const begins = agentBegins(world)
    const life = yield* Life.begin(program, world, {
      point: isEarly ? point : undefined,
      onPassed: (passed) => agenda.passed(passed)
    })
    const wrong: Array<string> = []
    if (isEarly && point === undefined) yield* Effect.sleep(yield* Random.nextIntBetween(0, 400))
    else if (yield* life.ready) {
      if (life.recovery() > longestRecovery) wrong.push(`it took ${Math.round(life.recovery())} ms until it was ready`)
      wrong.push(...(yield* Inspection.ready(world, left)))
      const using = yield* Effect.fork(driver.use(point === undefined ? undefined : Points.wish(point)))
      yield* begins
      if (point === undefined) {
        yield* Effect.sleep(yield* Random.nextIntBetween(0, 400))
        if ((yield* Random.nextIntBetween(0, 6)) === 0) {
          yield* life.signal("SIGTERM")
          yield* Effect.sleep(yield* Random.nextIntBetween(0, 150))
        }
      } else {
        yield* life.arm(point)
        if (Points.isLate(point)) yield* life.signal("SIGTERM")
        yield* Effect.timeout(life.ended, patienceAtPoint).pipe(Effect.ignore)
      }
      yield* Fiber.interrupt(using)
    }
    yield* life.signal("SIGKILL")
    const end = yield* life.ended
    if (end.point !== undefined) agenda.hit(end.point)
    const isKilled = end.signal === "SIGKILL"
    if (!isKilled && end.code !== 0) wrong.push(`the daemon ended with ${end.code ?? end.signal}`)
    const complaints = end.log.split("\n").filter((line) => /level=(ERROR|FATAL)/.test(line))
    return { wrong: [...wrong, ...complaints], isKilled, recovery: life.recovery(), at: end.point ?? "a random moment" }
  }).pipe(Effect.scoped)

/** A last life, in which all comes to its end. */
const finish = (program: string, world: World.World, driver: Driver.Driver, agenda: Agenda) =>
  Effect.gen(function* () {
    yield* World.release(world)
    const life = yield* Life.begin(program, world, { onPassed: (passed) => agenda.passed(passed) })
    if (!(yield* life.ready)) return [`the last daemon was not ready: ${(yield* life.ended).log}`]
    const waited = yield* Effect.exit(Effect.timeout(driver.wait, longestEnd))
    yield* driver.shutdown
    const { code, log } = yield* life.ended
    return [
      ...(Exit.isSuccess(waited) ? [] : [`not all jobs have come to their end: ${log}`]),
      ...(code === 0 ? [] : [`the last daemon ended with ${code}: ${log}`])
    ]
  }).pipe(Effect.scoped)

export const run = (options: {
  readonly program: string
  readonly agenda: Agenda
  readonly kills: number
}): Effect.Effect<Outcome> =>
  Effect.gen(function* () {
    const { agenda, kills, program } = options
    const world = yield* World.make
    const ledger = Ledger.make()
    const landings = Inspection.makeLandings()
    const driver = yield* Driver.make(world, ledger)
    const watching = yield* Effect.forkScoped(driver.watch)
    const figures = { kills: 0, live: 0, slowest: 0 }
    const wrong: Array<string> = []
    const story: Array<string> = []
    let left: ReadonlyArray<Processes.Process> = []

    while (figures.kills < kills && wrong.length === 0) {
      const death = yield* liveAndDie(program, world, driver, agenda, left)
      const found = yield* Inspection.dead(world, ledger, landings)
      left = found.live
      story.push(death.at)
      wrong.push(...death.wrong, ...found.wrong)
      figures.slowest = Math.max(figures.slowest, death.recovery)
      if (death.isKilled) figures.kills += 1
      if (death.isKilled && found.agents > 0) figures.live += 1
    }
    if (wrong.length === 0) wrong.push(...(yield* finish(program, world, driver, agenda)))
    yield* Fiber.interrupt(watching)
    const over = yield* Inspection.over(world, ledger, landings)
    return { ...over, ...figures, wrong: wrong.length > 0 ? wrong : over.wrong, story }
  }).pipe(Effect.scoped, Effect.orDie)
