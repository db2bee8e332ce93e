/**
 * One schedule from one seed, in several processes on one database: the manager of its jobs, and others beside it, each with a clock that
 * is set now and then. They are killed and closed, the database fails, jobs are pruned. Then it is calm, and each tick has its job.
 */
import { Cause, Context, DateTime, Effect, Exit, Layer, Option, Schema, Scope } from "effect"
import * as CronTicks from "../../../src/domain/CronTicks.js"
import * as JobKind from "../../../src/manager/JobKind.js"
import * as schedule from "../../../src/manager/internal/schedule.js"
import * as RunStore from "../../../src/store/RunStore.js"
import * as DatabaseModule from "../Database.js"
import * as disturbing from "../disturb.js"
import * as LifeModule from "../Life.js"
import * as Machine from "../Machine.js"
import { maybe, number, text } from "../rows.js"
import type { Report } from "../Simulation.js"

/** Virtual time begins here: a summer day, in milliseconds. */
const start = 1_750_000_000_000

/** More than any run needs. */
const mostSteps = 500_000

const second = 1_000
const period = 10 * second

const when = { cron: "*/10 * * * * *", timeZone: "Europe/Berlin" } as const

const ticks = Option.getOrThrow(Option.getRight(CronTicks.parse(when.cron, when.timeZone)))

const Config = Schema.Struct({ tick: Schema.Number })

class Ticking extends JobKind.Tag<Ticking>()("ticking", { config: Config }) {}

const tickOf = Schema.decodeUnknownSync(Schema.parseJson(Config))

/** So many ticks, up to the last one. */
const upTo = (last: number, count: number) => Array.from({ length: count }, (_, i) => last - i * period)

interface Process {
  readonly life: LifeModule.Life
  readonly scope: Scope.CloseableScope
  store?: Context.Tag.Service<RunStore.RunStore>
  isClosing: boolean
}

export const run = (
  seed: number,
  options: { readonly content?: Buffer | undefined; readonly keep?: number } = {}
): Report => {
  const machine = Machine.ofSeed(seed, { start, keep: options.keep })
  const { nameOf, random, timeline, trace, violate } = machine
  const chosen = {
    ...when,
    overlap: random.pick<"queue" | "skip">(["queue", "skip"]),
    missed: random.pick<"once" | "skip">(["once", "skip"]),
    config: ({ epochMillis }: DateTime.Utc) => ({ tick: epochMillis })
  } as const
  trace.say(`seed ${seed}: overlap ${chosen.overlap}, missed ${chosen.missed}`)

  let steps = 0
  /** From then on no process is kept from its work while time passes. */
  let isCalm = false
  let crashes = 0
  let pids = 1
  /** How far the clock of each process is ahead. */
  const ahead = [0, 0, 0]
  const processes: Array<Process | undefined> = []
  const lives = () => processes.flatMap((process) => (process === undefined ? [] : [process.life]))

  /** All jobs that there have been, by their ticks. */
  const jobs = new Map<number, string>()
  let lastTick = -Infinity

  const database = DatabaseModule.make(machine, {
    content: options.content,
    onCommitted: (life) => {
      refresh()
      notice(life)
    }
  })

  /** The manager notices what others commit as it does in a file, which this database is not. */
  const notice = (by: LifeModule.Life) => {
    const manager = processes[0]
    if (manager?.store === undefined || manager.life === by) return
    const { outbox } = manager.store
    manager.life.after(250, () => {
      manager.life.fork(Effect.ignore(outbox.queue(Ticking.kind)))
    })
  }

  /** Reads what was committed. */
  const refresh = () => {
    const runs = database.query("SELECT id, config, status FROM charlotte_runs ORDER BY id")
    for (const row of runs) {
      const id = text(row, "id")
      const { tick } = tickOf(text(row, "config"))
      const other = jobs.get(tick)
      if (other === id) continue
      trace.say(`${nameOf(id)} is the job of ${tick - start}`)
      if (other !== undefined) violate(`the tick at ${tick - start} has ${nameOf(other)} and ${nameOf(id)}`)
      if (other === undefined && tick <= lastTick) violate(`the tick at ${tick - start} comes after a later one`)
      const open = runs.filter(
        (run) => text(run, "id") !== id && !/completed|failed|cancelled/.test(text(run, "status"))
      )
      if (chosen.overlap === "skip" && open.length > 0) violate(`${nameOf(id)} overlaps with another job`)
      jobs.set(tick, id)
    }
    const [row] = database.query("SELECT last_tick, last_run FROM charlotte_schedules")
    const last = number(row, "last_tick")
    if (last < lastTick) violate(`the last tick goes back from ${lastTick - start} to ${last - start}`)
    if (!Number.isNaN(last)) lastTick = last
    const lastRun = maybe(row, "last_run")
    if (lastRun !== null && ![...jobs.values()].includes(lastRun)) violate(`${nameOf(lastRun)} was never recorded`)
  }

  const beside = Layer.scopedDiscard(schedule.make({ kind: Ticking.kind, config: Config }, "often", chosen))
  const managing = Layer.provide(
    Ticking.schedule("often", chosen),
    Ticking.layer({ run: () => Effect.sleep(random.between(0, 2_000)), retention: { completed: 0 } })
  )

  const end = (index: number) => {
    processes[index]?.life.kill()
    processes[index] = undefined
  }

  const boot = (index: number) => {
    if (processes[index] !== undefined) return
    const life = LifeModule.make(
      { ...machine, wallClock: () => timeline.now() + (ahead[index] ?? 0) },
      {
        pid: pids++,
        bootId: "boot",
        makesWay: 0.005,
        isAlive: (pid) => lives().some((other) => other.pid === pid),
        onKilled: database.abandon
      }
    )
    const scope = Effect.runSync(Scope.make())
    const process: Process = { life, scope, isClosing: false }
    processes[index] = process
    trace.say(`${life.pid} boots, the ${index === 0 ? "manager" : "process beside it"}`)
    const layer = Layer.provideMerge(index === 0 ? managing : beside, RunStore.layerUntouched).pipe(
      Layer.provide(database.client(life)),
      Layer.provide(Layer.succeedContext(life.references))
    )
    life.fork(Layer.buildWithScope(layer, scope), (exit) => {
      if (Exit.isSuccess(exit)) {
        trace.say(`${life.pid} is ready`)
        process.store = Context.get(exit.value, RunStore.RunStore)
        return
      }
      const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
      trace.say(`${life.pid} is not ready: ${Machine.firstLine(exit.cause)}`)
      if (failure?._tag !== "StoreError") violate(`no process came up: ${Machine.firstLine(exit.cause)}`)
      end(index)
    })
  }

  const close = (index: number) => {
    const process = processes[index]
    if (process?.store === undefined || process.isClosing) return
    process.isClosing = true
    trace.say(`${process.life.pid} closes`)
    process.life.fork(Scope.close(process.scope, Exit.void), () => end(index))
  }

  const crash = (index: number) => {
    const process = processes[index]
    if (process === undefined) return
    crashes += 1
    trace.say(`${process.life.pid} is killed`)
    end(index)
  }

  const setClock = (index: number) => {
    const now = random.pick([-60, -20, 0, 20, 60]) * second
    trace.say(`the clock of process ${index} is ${now} ms ahead`)
    ahead[index] = now
  }

  const onStore = (
    index: number,
    use: (store: Context.Tag.Service<RunStore.RunStore>) => Effect.Effect<unknown, unknown>
  ) => {
    const process = processes[index]
    if (process?.store !== undefined && !process.isClosing) process.life.fork(Effect.ignore(use(process.store)))
  }

  const prune = () => onStore(0, (store) => store.prune())

  const named = { kind: Ticking.kind, name: "often" }
  const pause = (index: number) =>
    onStore(index, ({ schedules }) => Effect.flatMap(DateTime.now, (at) => schedules.pause({ ...named, at })))
  const unpause = (index: number) =>
    onStore(index, ({ schedules }) => Effect.flatMap(DateTime.now, (at) => schedules.unpause({ ...named, at })))

  const disturb = () => disturbing.disturb(database, random)

  const goesOn = () => machine.violations.length === 0 && steps < mostSteps

  const isBusy = () => lives().some((life) => life.isBusy())

  /** Lets so much time pass, and all that is to be done by then. */
  const pass = (millis: number) => {
    const until = timeline.now() + millis
    let isThere = false
    timeline.after(millis, () => (isThere = true))
    while (goesOn() && (!isThere || isBusy())) {
      steps += 1
      const [first, ...rest] = lives().filter((life) => life.isBusy())
      if (first !== undefined && (isCalm || !random.chance(0.002))) random.pick([first, ...rest]).step()
      else if (!isThere) timeline.leap()
    }
    return until
  }

  const weights = { boot: 4, crash: 2, close: 1, setClock: 3, prune: 4, pause: 0.4, unpause: 1, disturb: 1 }
  const operations = { boot, crash, close, setClock, prune, pause, unpause, disturb }

  boot(0)
  for (let left = random.between(10, 40); left > 0 && goesOn(); left--) {
    operations[random.weighted(weights)](random.below(ahead.length))
    pass(random.chance(0.5) ? random.between(0, second) : random.between(0, 30) * second)
  }

  trace.say("calm")
  isCalm = true
  database.setFault(undefined)
  ahead.fill(0)
  const calm = 4
  for (let round = 0; round < 3; round++) for (const index of ahead.keys()) if (pass(second) > 0) boot(index)
  unpause(0)
  // The last tick, or the end of a pause, may be in what is the future now.
  pass(80 * second)
  // Alone, the manager loses no tick at which the database fails; a job that takes longer then makes it skip one.
  if (random.chance(0.5)) for (const index of [1, 2]) end(index)
  if (chosen.overlap === "queue") disturb()
  const since = timeline.now()
  pass(calm * period)
  if (goesOn()) {
    const last = Option.getOrThrow(
      ticks.latest({ after: DateTime.unsafeMake(since), until: DateTime.unsafeMake(timeline.now()) })
    )
    for (const tick of upTo(last.epochMillis, calm))
      if (!jobs.has(tick)) violate(`the tick at ${tick - start} has no job`)
  }
  if (steps >= mostSteps) violate("it does not come to rest")

  const report: Report = {
    seed,
    steps,
    crashes,
    alive: 0,
    recovery: 0,
    jobs: jobs.size,
    events: 0,
    merges: 0,
    violations: machine.violations,
    digest: trace.digest(),
    trace: trace.lines()
  }
  for (const life of lives()) life.kill()
  database.close()
  return report
}
