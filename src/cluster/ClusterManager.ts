/**
 * A job manager that is one node of a cluster: the same operations, on the jobs of all nodes.
 *
 * @since 0.2.0
 */
import { Clock, Duration, Effect, Exit, Option, Ref, Schema, Scope } from "effect"
import type { AlreadyManaged, NodeConflict, StoreError } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import { MachineRef } from "../internal/Machine.js"
import { KernelRef } from "../internal/ProcessIdentity.js"
import * as race from "../internal/race.js"
import * as timing from "../internal/timing.js"
import { assemble } from "../manager/internal/assemble.js"
import { beginRun } from "../manager/internal/beginRun.js"
import { allEnded, letGo } from "../manager/internal/closeJobs.js"
import * as JobIdGenerator from "../manager/internal/JobIdGenerator.js"
import type { Core } from "../manager/internal/Core.js"
import * as JobRegistry from "../manager/internal/JobRegistry.js"
import * as Parts from "../manager/internal/parts.js"
import { clearLeft } from "../manager/internal/recovery.js"
import { stopJob } from "../manager/internal/stopJob.js"
import type { Service } from "../manager/JobManagerService.js"
import { makeNotifier } from "../store/port/ChangeNotifier.js"
import { RunStore } from "../store/RunStore.js"
import { Engine, type Requests, Unrouted } from "./Engine.js"
import { Guard } from "./guard/Guard.js"
import * as Node from "./Node.js"
import { NodeDefinitions } from "./NodeDefinitions.js"
import * as nodeStore from "./nodeStore.js"
import * as OtherNodes from "./otherNodes.js"
import { ready, resumePlaced, startPlaced } from "./startPlaced.js"
import * as Refusals from "./refusals.js"
import * as Sweeps from "./sweeps.js"
import { versionOf } from "./versionOf.js"
import * as WakeUps from "./wakeUps.js"

/**
 * Options of a node of a cluster, besides the options of a manager.
 *
 * @since 0.2.0
 * @category options
 */
export interface NodeOptions {
  /** Maximum number of active jobs of this node; `maxJobs` by default. */
  readonly capacity?: number
  /** How long the node keeps its jobs without a response of the database; 5 seconds by default, and at most. */
  readonly lease?: Duration.DurationInput
  /** Where other nodes reach the HTTP server of this one, to read its logs: `https://HOST:PORT`; none by default. */
  readonly url?: string
}

/**
 * Options of `make`.
 *
 * @since 0.2.0
 * @category options
 */
export interface MakeOptions<C, I, RS = never, R = Scope.Scope, R2 = never>
  extends Parts.MakeOptions<C, I, RS, R, R2>, NodeOptions {
  /** The version of the kind that this node has; a hash of `config` by default. */
  readonly version?: string | undefined
}

/** How long the list of nodes is cached. */
const nodesTtl = "500 millis"

/**
 * A manager of a custom job type as one node of a cluster, for as long as the scope lives. When it closes, it interrupts its jobs,
 * waits for them, and other nodes continue them.
 *
 * @since 0.2.0
 * @category constructors
 */
export const make = <C, I, RS = never, R = Scope.Scope, R2 = never>(
  options: MakeOptions<C, I, RS, R, R2>
): Effect.Effect<
  Service<C, I>,
  StoreError | AlreadyManaged | NodeConflict,
  RunStore | Engine | Scope.Scope | RS | Exclude<R, Scope.Scope> | R2
> =>
  Effect.gen(function* () {
    const { kind, maxJobs = Parts.defaultMaxJobs, recovery, version = versionOf({ config: options.config }) } = options
    const { capacity = maxJobs } = options
    const lease = Duration.decode(options.lease ?? timing.lease)
    if (Duration.greaterThan(lease, timing.lease)) {
      return yield* Effect.dieMessage("the lease of a node is at most 5 seconds: others take over its jobs after 10")
    }
    const engine = yield* Engine
    const store = yield* RunStore
    const ids = yield* JobIdGenerator.make
    const { address } = engine
    const { pid } = (yield* KernelRef).self
    const newNode = {
      id: `${address}/${ids(yield* Clock.currentTimeMillis)}`,
      kind,
      address,
      pid,
      machine: yield* MachineRef,
      capacity,
      url: options.url,
      definitions: yield* NodeDefinitions,
      version
    }
    const runner = { node: newNode.id, address, capacity }

    const ticks = makeNotifier()
    const isFresh = yield* Ref.make<Effect.Effect<boolean>>(Effect.succeed(false))
    const [nodes, forgetNodes] = yield* Effect.cachedInvalidateWithTTL(store.cluster.nodes(kind), nodesTtl)
    const ofNode = nodeStore.make(store, {
      ...{ runner, version, engine, nodes, ticks },
      isFresh: Effect.flatten(Ref.get(isFresh))
    })
    const statuses = Parts.continuedBy(recovery)
    const others = {
      ...OtherNodes.make(kind, store, engine),
      refuse: Refusals.refuse({ kind, version, runner, statuses, store })
    }
    const parts = yield* Effect.provideService(
      Parts.make({ ...options, maxJobs: capacity }, Option.some(others)),
      RunStore,
      ofNode
    )
    const { admission, continued, core, provide, recover } = parts

    const limit = yield* store.cluster.limit({ kind, maxJobs })
    if (limit !== maxJobs) {
      yield* Effect.logInfo(
        `the cluster runs at most ${limit} jobs of kind "${kind}", as its database says, not ${maxJobs}`
      )
    }
    const letGoOfAll = Effect.gen(function* () {
      yield* Ref.update(core.lapses, (n) => n + 1)
      const all = yield* JobRegistry.all(core.jobs)
      // Jobs that have not ended by the end of their grace are killed by the guard of the node.
      yield* Effect.forEach(all, (active) => letGo(core, active), { discard: true })
    })
    const guard = yield* Effect.serviceOption(Guard)
    // The membership lasts for as long as one of the node's jobs runs.
    const membership = yield* Scope.make()
    const leave = Scope.close(membership, Exit.void)
    yield* Effect.addFinalizer(() =>
      Effect.flatMap(JobRegistry.isEmpty(core.jobs), (isEmpty) =>
        isEmpty ? leave : core.fork(Effect.zipRight(allEnded(core), leave))
      )
    )
    const node = yield* Node.make(store.cluster, newNode, {
      lease: Duration.toMillis(lease),
      letGo: letGoOfAll,
      onRenewed: Option.match(guard, { onNone: () => () => Effect.void, onSome: ({ beat }) => beat })
    }).pipe(Scope.extend(membership))
    yield* awaitOwner(store, kind)
    yield* clearLeft({ kind, store, recover })
    yield* Ref.set(isFresh, node.isFresh)

    const placing = {
      engine,
      runner,
      version,
      isFresh: node.isFresh,
      nodes: Effect.tapError(nodes, () => forgetNodes),
      wake: yield* WakeUps.make(({ address, id }) => engine.ask(kind, address).wake(id))
    }

    const sweeps = yield* Sweeps.make(
      { core, admission, recover, engine, runner },
      { isFresh: node.isFresh, looked: ticks.wake }
    )

    const decodeConfig = Schema.decodeUnknown(options.config, { onExcessProperty: "ignore" })
    const service = yield* assemble(options, parts, {
      begin: (run) =>
        Effect.flatMap(ticks.version, (seen) =>
          Effect.catchTag(beginRun(core, admission, run), "MaxJobsReached", (refused) =>
            refused.reason === "group"
              ? refused
              : Effect.flatMap(core.jobEnded.version, (ended) =>
                  race.first([ticks.changed(seen), core.jobEnded.changed(ended)])
                )
          )
        ),
      resume: (run, sender) => resumePlaced(core, admission, placing, run, sender),
      start: (starting, submitted) => startPlaced(core, starting, placing, { ...submitted, waiting: continued }),
      wake: engine.ask(kind).wake,
      limit: {
        get: Effect.map(
          store.cluster.currentLimit(kind),
          Option.getOrElse(() => maxJobs)
        ),
        set: (limit) => Effect.zipRight(store.cluster.setLimit({ kind, maxJobs: limit }), ticks.wake)
      },
      ids: Effect.orDie(others.ids),
      elsewhere: (id, operations) =>
        Effect.gen(function* () {
          const found = Option.filter(yield* Effect.orDie(store.cluster.heldRun(id)), ({ run }) => run.kind === kind)
          if (Option.isNone(found)) return Option.none()
          const { run, stopping } = found.value
          const config = yield* Effect.option(provide(decodeConfig(run.config)))
          // The node has another version of the kind. The job can be stopped, awaited and followed by its id.
          if (Option.isNone(config)) return Option.none()
          return Option.some({
            id,
            config: config.value,
            attempt: run.attempt,
            startedAt: run.startedAt ?? run.createdAt,
            phase: stopping ? "stopping" : "running",
            events: (options) => operations.events(id, options),
            stop: (options) => operations.stop(id, options),
            await: operations.await(id)
          })
        }),
      join: engine
        .serve(kind, answers(core, sweeps.wake))
        .pipe(Effect.zipRight(sweeps.begin), Effect.zipRight(Refusals.failRefused({ kind, store }, node.isFresh))),
      leave: Effect.ignoreLogged(store.cluster.drain(newNode.id, true))
    })
    yield* ready(engine, () => ids(0))
    return service
  })

/** Waits for an owner outside of any cluster: if only its connection is lost, it releases its jobs by itself. */
const awaitOwner = ({ owners }: RunStore["Type"], kind: string): Effect.Effect<void, StoreError> =>
  Effect.flatMap(owners.get(kind), (found) =>
    Option.match(found, {
      onNone: () => Effect.void,
      onSome: (owner) => Effect.zipRight(Effect.sleep(timing.deadAfter), owners.release(owner))
    })
  )

/** Handles the requests of other nodes. They are hints: a node acts only on the row of the job. */
const answers = <Config>(core: Core<Config>, wake: (id: JobId) => Effect.Effect<void>): Requests => ({
  wake,
  stop: (id, grace) =>
    Effect.gen(function* () {
      const isHere = Option.isSome(yield* JobRegistry.find(core.jobs, id))
      const isStopping = isHere && Option.exists(yield* core.store.cluster.heldRun(id), ({ stopping }) => stopping)
      if (isStopping) return yield* stopJob(core, id, { grace })
      yield* wake(id)
      return yield* new Unrouted({ jobId: id })
    })
})
