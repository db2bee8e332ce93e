/**
 * The groups of a kind from one seed: jobs of a few groups are started, stopped, parked, retried, rescheduled and paused by one manager
 * after the other, which are killed and closed, while the database fails. Then it is calm, and each job ends.
 */
import { Cause, Context, DateTime, Effect, Exit, Layer, Option, Schema } from "effect"
import { JobId } from "../../../src/domain/JobId.js"
import * as JobKind from "../../../src/manager/JobKind.js"
import * as RunStore from "../../../src/store/RunStore.js"
import type * as LifeModule from "../Life.js"
import * as Machine from "../Machine.js"
import { maybe, text } from "../rows.js"
import type { Report } from "../Simulation.js"
import * as Succession from "../Succession.js"

/** Virtual time begins here, in milliseconds. */
const start = 1_750_000_000_000

/** More than any run needs. */
const mostSteps = 30_000

class Work extends JobKind.Tag<Work>()("work", {
  config: Schema.Struct({
    group: Schema.optional(Schema.String),
    does: Schema.Literal("ends", "parks", "fails"),
    millis: Schema.Number
  }),
  group: ({ group }) => group
}) {}

export const run = (
  seed: number,
  options: { readonly content?: Buffer | undefined; readonly keep?: number } = {}
): Report => {
  const machine = Machine.ofSeed(seed, { start, keep: options.keep })
  const { nameOf, random, trace, violate } = machine
  const groups = random.pick<readonly [string, ...ReadonlyArray<string>]>([["a"], ["a", "b"], ["a", "b", "c"]])
  const maxJobs = random.between(2, 5)
  const maxPerGroup = random.between(1, 2)
  const onStop = random.pick<"cancel" | "run">(["cancel", "run"])
  trace.say(`seed ${seed}: ${groups.length} groups, ${maxPerGroup} of each and ${maxJobs} in all, onStop ${onStop}`)

  let commits = 0
  /** The last commit after which a run that may begin waited. */
  let lastDue = 0
  const jobs = new Map<string, string>()
  const working = new Map<string, { readonly life: LifeModule.Life; readonly group: string }>()
  const isEnded = (status: string) => /completed|failed|cancelled/.test(status)

  /** Reads what was committed. */
  const refresh = () => {
    commits += 1
    const runs = database.query(
      "SELECT id, grp, status, waits_for FROM charlotte_runs WHERE kind = 'work' AND ended_at IS NULL ORDER BY id"
    )
    const running = new Map<string, number>()
    for (const row of runs) {
      const group = maybe(row, "grp")
      if (group !== null && text(row, "status") === "running") running.set(group, (running.get(group) ?? 0) + 1)
    }
    for (const [group, count] of running)
      if (count > maxPerGroup) violate(`group ${group} has ${count} running jobs, and ${maxPerGroup} may run`)
    const isDue = runs.some((row) => {
      const group = maybe(row, "grp")
      const waitsFor = maybe(row, "waits_for")
      return group === null ? waitsFor === "permit" : waitsFor === "group" && (running.get(group) ?? 0) < maxPerGroup
    })
    if (isDue) lastDue = commits
    jobs.clear()
    for (const row of database.query("SELECT id, status FROM charlotte_runs WHERE kind = 'work'"))
      jobs.set(text(row, "id"), text(row, "status"))
  }

  const managing = (life: LifeModule.Life) =>
    Work.layer({
      maxJobs,
      maxPerGroup,
      onStop,
      stopGrace: 1_000,
      retry: { times: 2, delay: { base: 300 } },
      run: (job) => {
        const { does, group, millis } = job.config
        return Effect.acquireUseRelease(
          Effect.sync(() => {
            if (group === undefined) return
            working.set(job.id, { life, group })
            const count = [...working.values()].filter((one) => one.life.isAlive() && one.group === group).length
            if (count > maxPerGroup) violate(`${count} jobs of group ${group} are at work, and ${maxPerGroup} may be`)
          }),
          () =>
            Effect.gen(function* () {
              yield* Effect.sleep(millis)
              if (does === "parks" && job.attempt === 1) {
                const until = DateTime.add(yield* DateTime.now, { millis })
                return yield* job.park({ reason: "chance", until, signal: "go" })
              }
              if (does === "fails" && job.tries === 0) return yield* Effect.fail("chance")
            }),
          () => Effect.sync(() => void working.delete(job.id))
        )
      }
    })

  const succession = Succession.make(machine, {
    content: options.content,
    mostSteps,
    managers: (life) => Layer.provideMerge(managing(life), RunStore.layerUntouched),
    onCommitted: () => refresh()
  })
  const { ask, boot, database, goesOn, pass } = succession

  const onManager = <A, E>(
    use: (manager: Context.Tag.Service<Work>) => Effect.Effect<A, E>,
    then?: (exit: Exit.Exit<A, E>) => void
  ) => ask((managers) => use(Context.get(managers, Work)), then)

  const startOne = (whenFull: "queue" | "refuse") => {
    const group = random.chance(0.15) ? undefined : random.pick(groups)
    const config = {
      group,
      does: random.pick(["ends", "ends", "parks", "fails"] as const),
      millis: random.between(0, 2_000)
    }
    const seen = commits
    const wasDue = lastDue === commits
    onManager(
      (manager) => manager.start(config, { whenFull, ...(random.chance(0.2) && { priority: random.between(-1, 1) }) }),
      (exit) => {
        const error = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
        if (error?._tag !== "MaxJobsReached") return
        trace.say(`a start of ${group ?? "none"} is refused: ${error.reason}`)
        if (error.reason === "queue" && !wasDue && lastDue <= seen)
          violate("a start is refused for runs that wait, and none of them may begin")
        if (error.reason === "group" && group === undefined) violate("a start without a group is refused for its group")
      }
    )
  }

  const someId = () => {
    const open = [...jobs].filter(([, status]) => !isEnded(status)).map(([id]) => JobId.make(id))
    const [first, ...rest] = open
    return first === undefined ? undefined : random.pick([first, ...rest])
  }

  const onJob = (use: (manager: Context.Tag.Service<Work>, id: JobId) => Effect.Effect<unknown, unknown>) => {
    const id = someId()
    if (id !== undefined) onManager((manager) => Effect.ignore(use(manager, id)))
  }

  const weights = {
    boot: 6,
    crash: 1,
    close: 0.7,
    queue: 14,
    refuse: 14,
    stop: 3,
    signal: 2,
    reschedule: 2,
    pause: 0.5,
    unpause: 2,
    disturb: 0.7
  }
  const operations = {
    boot,
    crash: succession.crash,
    close: succession.close,
    queue: () => startOne("queue"),
    refuse: () => startOne("refuse"),
    stop: () => onJob((manager, id) => manager.stop(id)),
    signal: () => onJob((manager, id) => manager.signal(id, "go")),
    reschedule: () => onJob((manager, id) => manager.reschedule(id, { priority: random.between(-2, 2) })),
    pause: () => onManager((manager) => Effect.ignore(manager.pause())),
    unpause: () => onManager((manager) => Effect.ignore(manager.unpause())),
    disturb: succession.disturb
  }

  boot()
  for (let left = random.between(20, 80); left > 0 && goesOn(); left--) {
    operations[random.weighted(weights)]()
    pass(random.chance(0.6) ? random.between(0, 50) : random.between(0, 2_000))
  }

  succession.calm()
  for (let round = 0; round < 4; round++) {
    boot()
    pass(2_000)
    operations.unpause()
  }
  for (let round = 0; round < 60 && goesOn() && [...jobs.values()].some((status) => !isEnded(status)); round++) {
    boot()
    pass(5_000)
  }
  if (goesOn()) {
    for (const [id, status] of jobs) if (!isEnded(status)) violate(`${nameOf(id)} has not ended: it is ${status}`)
    succession.audit(maxJobs)
  }
  return succession.report(seed, jobs.size)
}
