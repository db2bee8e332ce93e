/**
 * Jobs that wait for their children, from one seed: jobs of two kinds with few permits start each other, are stopped, park and fail, under
 * one manager after the other, which are killed and closed, while the database fails. Then it is calm, and each job ends: by itself, or
 * with the stop of the job that has started it.
 */
import { Context, DateTime, Effect, Layer, Schema } from "effect"
import type { ChildFailed } from "../../../src/domain/errors.js"
import { JobId } from "../../../src/domain/JobId.js"
import * as JobKind from "../../../src/manager/JobKind.js"
import * as RunStore from "../../../src/store/RunStore.js"
import * as Machine from "../Machine.js"
import { maybe, text } from "../rows.js"
import type { Report } from "../Simulation.js"
import * as Succession from "../Succession.js"

/** Virtual time begins here, in milliseconds. */
const start = 1_750_000_000_000

/** More than any run needs. */
const mostSteps = 100_000

/** `holds`: it parks, and ends only by a stop. */
const PartConfig = Schema.Struct({
  n: Schema.Number,
  does: Schema.Literal("ends", "parks", "fails", "holds"),
  millis: Schema.Number
})

type PartConfig = typeof PartConfig.Type

class Part extends JobKind.Tag<Part>()("part", {
  config: PartConfig,
  success: Schema.Number,
  error: Schema.Literal("refused")
}) {}

/** Waits for its parts, and for a job of its own kind with the levels below. */
class Whole extends JobKind.Tag<Whole>()("whole", {
  config: Schema.Struct({ levels: Schema.Array(Schema.Array(PartConfig)), inTurn: Schema.Boolean }),
  success: Schema.Array(Schema.String),
  error: Schema.Literal("refused")
}) {}

const decodeConfig = Schema.decodeSync(Schema.parseJson(Whole.config))
const decodeResult = Schema.decodeSync(Schema.parseJson(Whole.success))
const decodeError = Schema.decodeSync(Schema.parseJson(Schema.Struct({ kind: Schema.String, cause: Schema.String })))

/** How a part may end: as it does, by a stop, or after three crashes in a row. */
const ends = ({ does, n }: PartConfig): ReadonlyArray<string> => {
  const own = does === "fails" ? ["refused"] : does === "holds" ? [] : [String(2 * n)]
  return [...own, "cancelled", "recovery"]
}

const outcome = <A, R>(child: Effect.Effect<A, "refused" | ChildFailed, R>): Effect.Effect<string, never, R> =>
  Effect.match(child, {
    onSuccess: (value) => (typeof value === "number" ? String(value) : "below"),
    onFailure: (failed) =>
      failed === "refused" ? failed : failed.status === "cancelled" ? failed.status : (failed.error?.kind ?? "failed")
  })

interface Job {
  readonly kind: "part" | "whole"
  readonly status: string
  readonly parent: string | null
}

export const run = (
  seed: number,
  options: { readonly content?: Buffer | undefined; readonly keep?: number } = {}
): Report => {
  const machine = Machine.ofSeed(seed, { start, keep: options.keep })
  const { nameOf, random, trace, violate } = machine
  const maxJobs = { part: random.between(1, 3), whole: random.between(1, 2) }
  trace.say(`seed ${seed}: ${maxJobs.whole} jobs at once, and ${maxJobs.part} parts`)

  let numbers = 0
  const jobs = new Map<string, Job>()
  const isEnded = ({ status }: Job) => /completed|failed|cancelled/.test(status)

  /** Reads what was committed. */
  const refresh = () => {
    jobs.clear()
    const running = { part: 0, whole: 0 }
    for (const row of database.query("SELECT id, kind, status, parent FROM charlotte_runs ORDER BY id")) {
      const kind = text(row, "kind") === "part" ? "part" : "whole"
      const job = { kind, status: text(row, "status"), parent: maybe(row, "parent") } as const
      jobs.set(text(row, "id"), job)
      if (job.status === "running") running[kind] += 1
    }
    for (const kind of ["part", "whole"] as const)
      if (running[kind] > maxJobs[kind]) violate(`${running[kind]} jobs of kind ${kind} run, and ${maxJobs[kind]} may`)
  }

  const parts = Part.layer({
    maxJobs: maxJobs.part,
    stopGrace: 1_000,
    run: ({ attempt, config: { does, millis, n }, park }) =>
      Effect.gen(function* () {
        yield* Effect.sleep(millis)
        if (does === "holds") return yield* park({ reason: "it holds", signal: "never" })
        if (does === "parks" && attempt === 1) {
          return yield* park({ reason: "chance", until: DateTime.add(yield* DateTime.now, { millis }) })
        }
        return does === "fails" ? yield* Effect.fail("refused" as const) : 2 * n
      })
  })

  const wholes = Whole.layer({
    maxJobs: maxJobs.whole,
    stopGrace: 1_000,
    run: ({ child, config: { inTurn, levels } }) => {
      const [own = [], ...below] = levels
      const all = own.map((part) => outcome(child(Part, part, { name: `part ${part.n}` })))
      const rest = below.length === 0 ? [] : [outcome(child(Whole, { levels: below, inTurn }, { name: "below" }))]
      return Effect.all([...all, ...rest], { concurrency: inTurn ? 1 : "unbounded" })
    }
  })

  const succession = Succession.make(machine, {
    content: options.content,
    mostSteps,
    managers: () => Layer.provide(Layer.merge(parts, wholes), RunStore.layerUntouched),
    onCommitted: () => refresh()
  })
  const { ask, boot, close, crash, database, disturb, goesOn, pass } = succession

  const somePart = (): PartConfig => ({
    n: ++numbers,
    does: random.weighted({ ends: 6, parks: 2, fails: 1, holds: 0.3 }),
    millis: random.between(0, 2_000)
  })

  const several = <A>(count: number, make: () => A): ReadonlyArray<A> => Array.from({ length: count }, make)

  const startOne = () => {
    const levels = several(random.between(1, 3), () => several(random.between(0, 3), somePart))
    const config = { levels, inTurn: random.chance(0.3) }
    ask((managers) => Effect.ignore(Context.get(managers, Whole).start(config, { whenFull: "queue" })))
  }

  const stop = (id: string, { kind }: Job) => {
    trace.say(`${nameOf(id)} is to be stopped`)
    ask((managers) =>
      Effect.ignore(
        kind === "part"
          ? Context.get(managers, Part).stop(JobId.make(id))
          : Context.get(managers, Whole).stop(JobId.make(id))
      )
    )
  }

  const stopOne = () => {
    const [first, ...rest] = [...jobs].filter(([, job]) => !isEnded(job))
    if (first !== undefined) stop(...random.pick([first, ...rest]))
  }

  const weights = { boot: 6, crash: 1, close: 0.7, startOne: 8, stopOne: 1.5, disturb: 0.7 }
  const operations = { boot, crash, close, startOne, stopOne, disturb }

  boot()
  for (let left = random.between(10, 40); left > 0 && goesOn(); left--) {
    operations[random.weighted(weights)]()
    pass(random.chance(0.6) ? random.between(0, 50) : random.between(0, 2_000))
  }

  /** The jobs that have not ended, and are not a part that holds or wait for one. */
  const late = () => {
    const holding = new Set<string>()
    const rows = database.query("SELECT id, parent FROM charlotte_runs WHERE kind = 'part' AND config LIKE '%holds%'")
    for (const row of rows) {
      if (isEnded(jobs.get(text(row, "id")) ?? { kind: "part", status: "completed", parent: null })) continue
      holding.add(text(row, "id"))
      for (let id = maybe(row, "parent"); id !== null; id = jobs.get(id)?.parent ?? null) holding.add(id)
    }
    return [...jobs].filter(([id, job]) => !isEnded(job) && !holding.has(id))
  }

  /** Lets time pass until no job is left of some. */
  const settle = (left: () => ReadonlyArray<readonly [string, Job]>) => {
    for (let round = 0; round < 60 && goesOn() && (round < 4 || left().length > 0); round++) {
      boot()
      pass(round < 4 ? 2_000 : 5_000)
    }
    if (!goesOn()) return
    for (const [id, { status }] of left()) violate(`${nameOf(id)} has not ended: it is ${status}`)
  }

  succession.calm()
  settle(late)
  // A job that has failed has left its children; any other stops them with itself.
  if (goesOn()) {
    for (const [id, job] of jobs) {
      const parent = job.parent === null ? undefined : jobs.get(job.parent)
      if (!isEnded(job) && (parent === undefined || parent.status === "failed")) stop(id, job)
    }
    settle(() => [...jobs].filter(([, job]) => !isEnded(job)))
  }
  if (goesOn()) {
    for (const row of database.query("SELECT id, kind, config, result, error FROM charlotte_runs")) {
      const name = nameOf(text(row, "id"))
      const [error, result] = [maybe(row, "error"), maybe(row, "result")]
      const failed = error === null ? undefined : decodeError(error)
      if (failed?.kind === "defect") violate(`${name} has died: ${failed.cause}`)
      if (result === null || text(row, "kind") !== "whole") continue
      const outcomes = decodeResult(result)
      for (const [at, part] of (decodeConfig(text(row, "config")).levels[0] ?? []).entries())
        if (!ends(part).includes(outcomes[at] ?? "")) violate(`${name} has ${outcomes[at]} of a part that ${part.does}`)
    }
    succession.audit(Math.max(maxJobs.part, maxJobs.whole))
  }
  return succession.report(seed, jobs.size)
}
