/**
 * What callers do to a manager, and what they may conclude from its answers.
 */
import { Cause, Duration, Effect, Exit, type Fiber, Option, Stream } from "effect"
import { StoreError } from "../../src/domain/errors.js"
import { JobId } from "../../src/domain/JobId.js"
import type { JobEvent } from "../../src/domain/JobEvent.js"
import { isTerminal } from "../../src/domain/RunStatus.js"
import type { StartOptions as Requested } from "../../src/domain/StartOptions.js"
import type { World } from "./World.js"
import * as Machine from "./Machine.js"
import type { Manager, Producer, Service } from "./Manager.js"
import type { Processes } from "./Processes.js"
import { terminal } from "./Records.js"
import { targets } from "./Repository.js"
import { signals } from "./Submissions.js"
import * as Transactions from "./Transactions.js"

/** A call that has not been answered yet. */
export interface Call {
  readonly name: string
  /** The job whose end it waits for; missing when it waits for nobody. */
  readonly waitsFor: string | undefined
  /** Whether there is something that it has not seen, and does not go for. */
  readonly isBehind: () => boolean
  readonly manager: Manager
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
}

export interface Operations {
  readonly calls: () => ReadonlyArray<Call>
  /** Forgets the calls of a process that is gone. */
  readonly forget: (manager: Manager) => void
  readonly start: (manager: Manager, config?: StartOptions) => void
  /** Starts jobs inside a transaction of the application, which may be rolled back. */
  readonly startInside: (manager: Manager) => void
  readonly stop: (manager: Manager, id: JobId, options?: { readonly slowly: boolean }) => void
  readonly stopAll: (manager: Manager) => void
  readonly resume: (manager: Manager, id: JobId) => void
  readonly pause: (manager: Manager) => void
  readonly unpause: (manager: Manager) => void
  readonly signal: (manager: Manager, id: JobId) => void
  /** Several callers at once want a job that has ended to be done again. */
  readonly retry: (manager: Manager, id: JobId) => void
  /** A producer starts a job, asks for the stop of one, or sends it signals. */
  readonly produce: (manager: Manager) => void
  readonly requestStop: (manager: Manager, id: JobId) => void
  readonly requestSignals: (manager: Manager, id: JobId) => void
  readonly awaitEnd: (manager: Manager, id: JobId) => void
  readonly events: (manager: Manager, id: JobId) => void
  readonly allEvents: (manager: Manager) => void
  readonly look: (manager: Manager) => void
  /** One of the callers goes away. */
  readonly interrupt: () => void
  /** Job ids, as they were acknowledged. */
  readonly known: () => ReadonlyArray<JobId>
  /** How many starts have had no answer, since the process or the caller was gone. */
  readonly lostStarts: () => number
  /** What producers were told is recorded: the jobs to stop, and the payloads of signals. */
  readonly requests: {
    readonly stops: ReadonlySet<string>
    readonly signals: ReadonlyMap<string, ReadonlyArray<number>>
  }
  /** How the last starts were answered. */
  readonly answers: Array<string>
}

export interface StartOptions {
  /** A job that ends when it is stopped. */
  readonly holds: boolean
}

export const idOf = (id: string): JobId => JobId.make(id)

/** A write that failed is tried again after this at the latest, in milliseconds. */
const lastPause = 1_000

const isStoreError = (defect: unknown) => defect instanceof StoreError

const unknownId = JobId.make("0000000000000000000000000Z")

export const make = (world: World & { readonly processes: Processes }): Operations => {
  const { ledger, machine, maxJobs, processes, records } = world
  const { nameOf, random, timeline, trace, violate } = machine
  const calls = new Set<Call>()
  const known: Array<JobId> = []
  let lostStarts = 0
  let sent = 0
  const answers: Array<string> = []
  const stops = new Set<string>()
  const signalled = new Map<string, ReadonlyArray<number>>()
  /** Jobs of tasks: they heed a stop, whatever their processes do. */
  const works = new Set<JobId>()

  const lose = ({ name }: Call) => {
    if (name.startsWith("start")) lostStarts += 1
  }

  const call = <A, E extends { readonly _tag: string }>(
    manager: Manager,
    name: string,
    effect: Effect.Effect<A, E>,
    options: {
      readonly waitsFor?: string
      readonly allowed: ReadonlyArray<E["_tag"]>
      readonly onSuccess?: (value: A) => void
      readonly onFailure?: (error: E) => void
      readonly isBehind?: () => boolean
    }
  ) => {
    trace.say(`${manager.life.pid} ${name}`)
    const begunInCalm = world.isCalm()
    const fiber = manager.life.fork(effect, (exit) => {
      calls.delete(made)
      trace.say(`${manager.life.pid} ${name}: ${answerOf(exit)}`)
      if (Exit.isSuccess(exit)) return options.onSuccess?.(exit.value)
      if (Cause.isInterruptedOnly(exit.cause)) return lose(made)
      // What a node is asked without an error of the store dies where the database does not answer.
      if (world.isCluster && !begunInCalm && Option.exists(Cause.dieOption(exit.cause), isStoreError)) return
      const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
      if (failure === undefined || !options.allowed.includes(failure._tag))
        violate(`${name} was answered: ${Machine.firstLine(exit.cause)}`)
      if (failure !== undefined) options.onFailure?.(failure)
      if (failure?._tag === "StoreError" && begunInCalm && !manager.isClosing())
        violate(`${name} failed, and nothing was wrong with the store: ${Machine.firstLine(exit.cause)}`)
    })
    const { isBehind = () => false, waitsFor } = options
    const made: Call = { name, waitsFor, isBehind, manager, fiber }
    calls.add(made)
  }

  /** It is said to be over: then it is, in every way. */
  const isOver = (manager: Manager, service: Service, id: JobId, status: string, how: string) => {
    const job = records.jobs.get(id)
    if (job?.status !== status) violate(`${how} of ${nameOf(id)} says ${status}, and the record ${job?.status}`)
    const body = ledger.body(id)
    if (body !== undefined) violate(`${how} of ${nameOf(id)} has returned, and it still runs`)
    const children = ledger.children(id)
    if (children > 0) violate(`${how} of ${nameOf(id)} has returned, and ${children} of its fibers still run`)
    for (const { cookie, pid } of processes.running())
      if (ledger.owner(cookie)?.jobId === id) violate(`${how} of ${nameOf(id)} has returned, and process ${pid} lives`)
    call(manager, `get ${nameOf(id)} after ${how}`, service.get(id), {
      allowed: [],
      onSuccess: (found) => {
        if (Option.isSome(found)) violate(`${how} of ${nameOf(id)} has returned, and it is still active`)
      }
    })
  }

  const isPausing = () => [...calls].some(({ name }) => name === "pause" || name === "unpause")

  const using = (manager: Manager, use: (service: Service) => void) => {
    const service = manager.service()
    if (service !== undefined && manager.life.isAlive()) use(service)
  }

  const producing = (manager: Manager, use: (producer: Producer) => void) => {
    const producer = manager.producer()
    if (producer !== undefined && manager.life.isAlive()) use(producer)
  }

  const learn = (id: JobId) => {
    if (!known.includes(id)) known.push(id)
    if (!records.jobs.has(id)) violate(`${nameOf(id)} was started, and is not recorded`)
  }

  const unlessKnown = (id: JobId) => (known.includes(id) ? [] : (["JobNotFound"] as const))

  const configuration = ({ holds }: StartOptions) => {
    const fixed = { repoPath: "/repository", tasksDir: ".", targetBranch: "main" }
    if (holds) return { ...fixed, labels: { script: "hold" } }
    if (!world.isCluster && world.kind === undefined && random.chance(0.3))
      return { ...fixed, labels: { target: random.pick(targets) } }
    const labels = { script: String(random.below(1_000_000)) }
    return { ...fixed, labels: random.chance(0.2) ? { ...labels, key: random.pick(["x", "y"]) } : labels }
  }

  /** What more is asked for: most jobs are to run now. */
  const requested = (): Requested | undefined => {
    if (!world.waits || random.chance(0.5)) return undefined
    return {
      ...(random.chance(0.7) ? { whenFull: "queue" as const } : {}),
      ...(random.chance(0.5) ? { priority: random.between(-1, 1) } : {}),
      ...(random.chance(0.3) ? { delay: random.between(0, 6_000) } : {}),
      ...(random.chance(0.1) ? { idempotencyKey: random.pick(["1", "2"]) } : {}),
      ...(random.chance(0.3)
        ? { key: random.pick(["p", "q"]), whenKeyTaken: random.pick(["refuse", "attach", "replace", "queue"]) }
        : {})
    }
  }

  /** A start may replace the holders of its key, and of the one that its check gives. */
  const mayReplace = ({ labels }: ReturnType<typeof configuration>, asked: Requested | undefined) => {
    if (asked?.whenKeyTaken !== "replace") return
    for (const key of [asked.key, "key" in labels && labels.key]) if (key) ledger.askToStop({ key })
  }

  /** A reader that sees each event once, in order, and only what is committed. */
  const follow = <E extends { readonly _tag: string }>(
    manager: Manager,
    name: string,
    stream: Stream.Stream<JobEvent, E>,
    options: {
      readonly allowed: ReadonlyArray<E["_tag"]>
      readonly isNext: (event: JobEvent) => boolean
      readonly waitsFor?: string
      readonly onEnd: () => void
      readonly isBehind: () => boolean
    }
  ) =>
    call(
      manager,
      name,
      Stream.runForEach(stream, (event) =>
        Effect.suspend(() => {
          const committed = records.events[event.cursor - 1]
          if (committed?.jobId !== event.jobId || committed.seq !== event.seq || committed.type !== event.type)
            violate(`${name} was shown ${event.type}, cursor ${event.cursor}, which is not committed`)
          if (!options.isNext(event)) violate(`${name} was shown ${nameOf(event.jobId)} ${event.seq} out of turn`)
          return random.chance(0.05) ? manager.life.sleep(random.between(0, 500)) : Effect.void
        })
      ),
      {
        allowed: options.allowed,
        isBehind: options.isBehind,
        ...(options.waitsFor === undefined ? {} : { waitsFor: options.waitsFor }),
        onSuccess: options.onEnd
      }
    )

  return {
    calls: () => [...calls],
    known: () => known,
    lostStarts: () => lostStarts,
    requests: { stops, signals: signalled },
    answers,
    forget: (manager) => {
      for (const call of calls) if (call.manager === manager && calls.delete(call)) lose(call)
    },

    start: (manager, options = { holds: false }) =>
      using(manager, ({ start }) => {
        const config = configuration(options)
        const asked = options.holds ? undefined : requested()
        mayReplace(config, asked)
        call(
          manager,
          "start",
          Effect.tapBoth(start(config, asked), {
            onFailure: ({ _tag }) => Effect.sync(() => void answers.push(_tag)),
            onSuccess: () => Effect.sync(() => void answers.push("started"))
          }),
          {
            allowed: [
              "MaxJobsReached",
              "KindPaused",
              "JobConflict",
              "ShuttingDown",
              "StoreError",
              ...(asked?.idempotencyKey === undefined ? [] : (["IdempotencyKeyReused"] as const))
            ],
            onSuccess: (id) => {
              const isFirst = !known.includes(id)
              if (isFirst && asked === undefined && "target" in config.labels) works.add(id)
              trace.say(`start with ${JSON.stringify(asked ?? {})} has given ${nameOf(id)}`)
              learn(id)
            }
          }
        )
      }),

    startInside: (manager) =>
      using(manager, ({ start }) => {
        const { idempotencyKey: _, ...asked } = requested() ?? {}
        const options = { isRolledBack: random.chance(0.4), withSavepoint: random.chance(0.3) }
        const started = Transactions.startInside(start(configuration({ holds: false }), asked), options)
        call(manager, `start inside a transaction`, manager.onDatabase(started), {
          allowed: [
            "JobConflict",
            "ShuttingDown",
            "StoreError",
            "SqlError",
            "Doubtful",
            ...(asked.whenKeyTaken === undefined ? [] : (["InvalidJobConfig"] as const))
          ],
          onSuccess: ({ committed, rolledBack }) => {
            for (const id of rolledBack) {
              ledger.rollBack(id)
              if (records.jobs.has(id)) violate(`${nameOf(id)} was rolled back, and is recorded`)
            }
            for (const id of committed) {
              known.push(id)
              trace.say(`start inside a transaction with ${JSON.stringify(asked)} has given ${nameOf(id)}`)
              if (!records.jobs.has(id)) violate(`${nameOf(id)} was committed, and is not recorded`)
            }
          },
          onFailure: ({ _tag }) => {
            if (_tag === "Doubtful") lostStarts += 1
          }
        })
      }),

    stop: (manager, id, { slowly } = { slowly: false }) =>
      using(manager, (service) => {
        const grace = random.chance(0.3) ? random.between(0, 3_000) : undefined
        const name = `stop of ${nameOf(id)}`
        ledger.askToStop({ id })
        const stop = service.stop(id, grace === undefined ? {} : { grace })
        call(manager, name, slowly ? Effect.zipRight(manager.life.dawdle, stop) : stop, {
          allowed: ["StopTimedOut", "StoreError", ...unlessKnown(id)],
          onSuccess: ({ status }) => {
            if (isTerminal(status)) isOver(manager, service, id, status, "stop")
            else violate(`${name} says ${status}`)
          },
          onFailure: (error) => {
            if (error._tag !== "StopTimedOut" || !works.has(id)) return
            const begun = timeline.now() - Duration.toMillis(error.elapsed)
            if (machine.calmSince() + lastPause < begun) violate(`${name} came to nothing, and nothing was in its way`)
          }
        })
      }),

    stopAll: (manager) =>
      using(manager, (service) => {
        ledger.askToStop({})
        call(manager, "stopAll", service.stopAll, {
          allowed: [],
          onSuccess: (reports) => {
            for (const { jobId, mode, status } of reports)
              if (mode !== "timedOut" && isTerminal(status)) isOver(manager, service, jobId, status, "stopAll")
          }
        })
      }),

    resume: (manager, id) =>
      using(manager, ({ resume }) =>
        call(manager, `resume ${nameOf(id)}`, resume(id), {
          allowed: [
            "NotResumable",
            "MaxJobsReached",
            "KindPaused",
            "JobConflict",
            "ShuttingDown",
            "StoreError",
            "JobNotFound"
          ]
        })
      ),

    // One at a time: of two at once, nobody knows which comes last.
    pause: (manager) =>
      using(manager, ({ pause }) => {
        if (isPausing()) return
        call(manager, "pause", pause(), { allowed: ["StoreError"], onSuccess: () => ledger.setPaused(true) })
      }),

    unpause: (manager) =>
      using(manager, ({ unpause }) => {
        if (isPausing()) return
        ledger.setPaused(false)
        call(manager, "unpause", unpause(), { allowed: ["StoreError"] })
      }),

    signal: (manager, id) =>
      using(manager, (service) => {
        const name = random.pick(signals)
        const payload = ++sent
        call(manager, `signal ${name} ${payload} to ${nameOf(id)}`, service.signal(id, name, payload), {
          allowed: ["JobEnded", "StoreError", ...unlessKnown(id)],
          onSuccess: () => {
            if (records.jobs.get(id)?.signals.some((signal) => signal.payload === payload) !== true)
              violate(`signal ${payload} was sent to ${nameOf(id)}, and is not recorded`)
          }
        })
      }),

    retry: (manager, id) =>
      using(manager, ({ retry }) => {
        for (let i = random.between(1, 3); i > 0; i--)
          call(manager, `start of a retry of ${nameOf(id)}`, retry(id, { again: random.chance(0.3) }), {
            allowed: ["NotRetryable", "JobConflict", "ShuttingDown", "StoreError", ...unlessKnown(id)],
            onSuccess: (retry) => {
              learn(retry)
              if (records.jobs.get(retry)?.retryOf !== id)
                violate(`${nameOf(id)} was to be retried, and ${nameOf(retry)} does not say so`)
            }
          })
      }),

    produce: (manager) =>
      producing(manager, ({ start }) => {
        const { whenFull: _, ...asked } = requested() ?? {}
        const config = configuration({ holds: false })
        mayReplace(config, asked)
        call(manager, "start by a producer", start(config, asked), {
          allowed: ["JobConflict", "IdempotencyKeyReused", "StoreError"],
          onSuccess: learn
        })
      }),

    requestStop: (manager, id) =>
      producing(manager, ({ stop }) => {
        ledger.askToStop({ id })
        call(manager, `stop of ${nameOf(id)} by a producer`, stop(id), {
          allowed: ["StoreError", ...unlessKnown(id)],
          onSuccess: () => void stops.add(id)
        })
      }),

    requestSignals: (manager, id) =>
      producing(manager, ({ signal }) => {
        for (let i = random.between(1, 4); i > 0; i--) {
          const name = random.pick(signals)
          const payload = ++sent
          call(manager, `signal ${name} ${payload} to ${nameOf(id)} by a producer`, signal(id, name, payload), {
            allowed: ["JobEnded", "StoreError", ...unlessKnown(id)],
            onSuccess: () => void signalled.set(id, [...(signalled.get(id) ?? []), payload])
          })
        }
      }),

    awaitEnd: (manager, id) =>
      using(manager, (service) =>
        call(manager, `await of ${nameOf(id)}`, service.await(id), {
          waitsFor: id,
          allowed: ["StoreError"],
          onSuccess: ({ status }) => {
            if (isTerminal(status)) isOver(manager, service, id, status, "await")
            else if (!manager.isClosing()) violate(`await of ${nameOf(id)} has returned: ${status}`)
          }
        })
      ),

    events: (manager, id) =>
      using(manager, ({ events }) => {
        const after = random.chance(0.7) ? 0 : random.below((records.jobs.get(id)?.seq ?? 0) + 1)
        let seq = after
        follow(manager, `events of ${nameOf(id)} after ${after}`, events(id, { after }), {
          waitsFor: id,
          allowed: ["StoreError"],
          isNext: (event) => event.jobId === id && event.seq === ++seq,
          isBehind: () => seq !== records.jobs.get(id)?.seq,
          onEnd: () => {
            const job = records.jobs.get(id)
            const isWhole = job !== undefined && terminal.has(job.status) && seq === job.seq
            if (!isWhole && !manager.isClosing()) violate(`events of ${nameOf(id)} have ended at ${seq} of ${job?.seq}`)
          }
        })
      }),

    allEvents: (manager) =>
      using(manager, ({ allEvents }) => {
        const last = records.events.length
        const after = random.chance(0.3) ? "latest" : random.chance(0.5) ? 0 : random.below(last + 1)
        let cursor = after === "latest" ? undefined : after
        follow(manager, `all events after ${after}`, allEvents({ after }), {
          allowed: ["StoreError"],
          isNext: (event) => {
            const isNext = cursor === undefined ? event.cursor > last : event.cursor === cursor + 1
            cursor = event.cursor
            return isNext
          },
          isBehind: () => cursor !== undefined && cursor < records.events.length,
          onEnd: () => {
            if (!manager.isClosing()) violate("the stream of all events has ended")
          }
        })
      }),

    look: (manager) =>
      using(manager, (service) => {
        call(manager, "list", Effect.zip(service.list, service.activeCount), {
          allowed: [],
          onSuccess: ([ids, count]) => {
            if (ids.length > maxJobs || count > maxJobs) violate(`${ids.length} jobs are active, and ${maxJobs} may`)
          }
        })
        call(manager, "stop of nobody", service.stop(unknownId), { allowed: ["JobNotFound", "StoreError"] })
      }),

    interrupt: () => {
      const all = [...calls]
      const [first, ...rest] = all
      if (first === undefined) return
      const { fiber, name } = random.pick([first, ...rest])
      trace.say(`whoever called ${name} goes away`)
      fiber.unsafeInterruptAsFork(fiber.id())
    }
  }
}

const answerOf = (exit: Exit.Exit<unknown, { readonly _tag: string }>): string =>
  Exit.match(exit, {
    onSuccess: () => "done",
    onFailure: (cause) =>
      Option.match(Cause.failureOption(cause), {
        onSome: ({ _tag }) => _tag,
        onNone: () => (Cause.isInterruptedOnly(cause) ? "interrupted" : "died")
      })
  })
