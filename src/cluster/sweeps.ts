/**
 * The sweeps of a node, twice a second: it takes the runs that are placed on it, takes over the runs of dead nodes, and stops the runs
 * that another node was asked to stop. When another node wakes it, it reads only the runs that are placed on it. Once taken, a job
 * stays with its node for as long as the node lives, even if another node has its shard by then.
 */
import { Cause, Chunk, Effect, Option, Queue, type Scope } from "effect"
import type { NotResumable, StoreError, Superseded } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import * as background from "../internal/background.js"
import { parse } from "../internal/Json.js"
import type { Admission } from "../manager/internal/admission.js"
import { endUnresumable } from "../manager/internal/beginRun.js"
import { continuesStop, type Core } from "../manager/internal/Core.js"
import { launch } from "../manager/internal/jobLife.js"
import * as JobRegistry from "../manager/internal/JobRegistry.js"
import type { Parts } from "../manager/internal/parts.js"
import { takeOverRun } from "../manager/internal/recovery.js"
import { stopJob } from "../manager/internal/stopJob.js"
import type { HeldRun, Runner } from "../store/port/RunStoreService.js"
import type { Service as Engine } from "./Engine.js"

interface Sweep<C> {
  readonly core: Core<C>
  readonly admission: Admission<C>
  readonly recover: Parts<C, never>["recover"]
  readonly engine: Engine
  readonly runner: Runner
}

const interval = "500 millis"

/** Maximum number of queued wake-ups. The work of dropped ones is found by a sweep. */
const maxWakeUps = 1_024

export interface Sweeps {
  /** Handles the hint of another node that there may be work for this job. */
  readonly wake: (id: JobId) => Effect.Effect<void>
  /** Sweeps for as long as the scope lives. */
  readonly begin: Effect.Effect<void, never, Scope.Scope>
}

/** Runs `looked` after each sweep, since a run that waits for a permit may get one now. */
export const make = <C>(
  parts: Sweep<C>,
  { isFresh, looked }: { readonly isFresh: Effect.Effect<boolean>; readonly looked: Effect.Effect<void> }
): Effect.Effect<Sweeps> =>
  Effect.gen(function* () {
    const wakeUps = yield* Queue.sliding<JobId>(maxWakeUps)
    const regularly = Effect.gen(function* () {
      if (yield* isFresh) yield* sweep(parts)
      yield* looked
      yield* Effect.sleep(interval)
    })
    const whenWoken = Effect.gen(function* () {
      const ids = yield* Queue.takeBetween(wakeUps, 1, Infinity)
      const taken = (yield* isFresh) ? yield* takePlaced(parts) : new Set<JobId>()
      // The other runs may wait for a permit.
      if (Chunk.some(ids, (id) => !taken.has(id))) yield* looked
    })
    return {
      wake: (id) => Queue.offer(wakeUps, id),
      begin: Effect.forEach([regularly, whenWoken], (look) => background.fork(Effect.forever(surviving(look))), {
        discard: true
      })
    }
  })

const surviving = Effect.catchAllCause((cause: Cause.Cause<StoreError>) =>
  Cause.isInterrupted(cause)
    ? Effect.interrupt
    : Effect.zipRight(Effect.logWarning("running jobs could not be read yet", cause), Effect.sleep(interval))
)

/** Handles all running runs of the kind. */
const sweep = <C>(parts: Sweep<C>): Effect.Effect<void, StoreError> =>
  Effect.gen(function* () {
    const { core } = parts
    const held = yield* core.store.cluster.held(core.kind)
    yield* Effect.forEach(held, (held) => look(parts, held), { discard: true })
  })

/** Takes the runs that are placed on this node, and returns their ids. */
const takePlaced = <C>(parts: Sweep<C>): Effect.Effect<ReadonlySet<JobId>, StoreError> =>
  Effect.gen(function* () {
    const { core, runner } = parts
    const placed = yield* core.store.cluster.placed({ kind: core.kind, address: runner.address })
    yield* Effect.forEach(placed, (held) => look(parts, held), { discard: true })
    return new Set(placed.map(({ run }) => run.id))
  })

const look = <C>(parts: Sweep<C>, held: HeldRun): Effect.Effect<void, StoreError> =>
  Effect.gen(function* () {
    const { core, engine, runner } = parts
    const { id } = held.run
    const active = Option.getOrUndefined(yield* JobRegistry.get(core.jobs, id))
    if (Option.exists(held.runner, ({ node }) => node === runner.node)) {
      if (active === undefined) return yield* giveBack(parts, held)
      // Another node has recorded the stop intent. An attempt that runs for a stop goes on.
      const mayStop = active._tag === "Running" || JobRegistry.hasTimedOut(active)
      if (held.stopping && mayStop && !active.job.isStop) {
        yield* core.fork(Effect.ignoreLogged(stopJob(core, id, { grace: core.stopGrace })))
      }
      return
    }
    const hasShard = engine.hasShard(id)
    if (active !== undefined || (!hasShard && held.address !== runner.address)) return
    // The run was placed here, or its shard has moved here since: the first to commit takes it.
    if (held.address !== undefined && Option.isNone(held.runner)) {
      return yield* held.stopping ? stopPlaced(parts, held) : take(parts, held)
    }
    // A run without an address has run on one machine, outside of any cluster.
    if (hasShard && !Option.exists(held.runner, ({ isAlive }) => isAlive)) yield* settle(parts, held)
  })

/** Takes a run in a fiber of the manager, since its check may take a while. */
const take = <C>({ admission, core, runner }: Sweep<C>, { run }: HeldRun): Effect.Effect<void> => {
  const { attempt, id } = run
  const prepare = Effect.gen(function* () {
    const recorded = Option.getOrUndefined(yield* core.store.submission(id))
    const { config, submission: found } = yield* Effect.catchAllCause(
      admission.recorded(run.config, recorded),
      (cause) => endUnresumable(core, admission, run, cause)
    )
    const submission = recorded === undefined && found !== undefined ? parse(found) : recorded
    const commit = (trace = run.trace) =>
      Effect.as(core.store.cluster.take({ jobId: id, attempt, trace }, runner), { run, isStop: false })
    return { config, submission, attempt, trace: run.trace, commit }
  })
  return core.fork(
    launch<C, NotResumable | Superseded | StoreError>(core, { id, prepare, caller: Option.none() }).pipe(
      // The next sweep retries, here or on the node that has the shard by then.
      Effect.catchAllCause((cause) =>
        Cause.isInterruptedOnly(cause) ? Effect.void : Effect.logDebug(`job ${id} was not taken`, cause)
      ),
      Effect.annotateLogs({ jobId: id })
    )
  )
}

/** Stops a run that is placed on this node and whose attempt has not begun. */
const stopPlaced = <C>(parts: Sweep<C>, held: HeldRun): Effect.Effect<void, StoreError> =>
  parts.core.store.cluster.take({ jobId: held.run.id, attempt: held.run.attempt }, parts.runner).pipe(
    Effect.zipRight(takeOverRun(recovery(parts, hasWorked(held)), held)),
    Effect.catchTag("Superseded", () => Effect.void)
  )

/**
 * Gives back a run that this node has taken without knowing it, since the response was lost: its attempt has not begun. If the run has
 * ended since the rows were read, this changes nothing.
 */
const giveBack = <C>({ core }: Sweep<C>, held: HeldRun): Effect.Effect<void, StoreError> =>
  Effect.flatMap(core.store.now, (at) =>
    core.store.record({
      type: "job.interrupted",
      crashed: true,
      continuesStop: continuesStop(core) && hasWorked(held),
      jobId: held.run.id,
      attempt: held.run.attempt,
      at
    })
  ).pipe(Effect.catchTag("Superseded", () => Effect.void))

/** Takes over a run whose node is dead. */
const settle = <C>(parts: Sweep<C>, held: HeldRun): Effect.Effect<void, StoreError> =>
  takeOverRun(recovery(parts, true), held)

/** Whether an earlier attempt has worked at it, if the current one has not begun. */
const hasWorked = ({ run }: HeldRun): boolean => run.attempt > 1

const recovery = <C>({ core, recover }: Sweep<C>, hasWorked: boolean) => ({
  kind: core.kind,
  store: core.store,
  recover,
  continuesStop: continuesStop(core) && hasWorked
})
