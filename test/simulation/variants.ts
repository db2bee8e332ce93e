/**
 * The product, broken in many ways. Each is a way in which it was, or might have been, written by mistake; the simulation has to find
 * it. A patch that no longer fits the product fails loudly: then it is to be written anew.
 */
import type { Patch } from "./Bundle.js"

export interface Variant {
  /** Few orders of events show it, less than two of a hundred: in the long form only, where there are four times as many seeds. */
  readonly isRare?: boolean
  readonly patches: ReadonlyArray<Patch>
  /** What is said of it. */
  readonly symptom: RegExp
}

/** The end of the work, apart from that of the fiber that it ran in. */
const workEnded: ReadonlyArray<Patch> = [
  {
    file: "src/manager/internal/jobLife.ts",
    from: "    const fiber = yield* core.forkJob(id, work(core, id, Deferred.await(answer), run), scope.scope)\n",
    to: `    const workEnded = yield* Deferred.make()
    const over = Deferred.succeed(workEnded, undefined)
    const begun = work(core, id, Deferred.await(answer), run)
    const fiber = yield* core.forkJob(id, Effect.ensuring(begun, over), scope.scope)
`
  },
  {
    file: "src/manager/internal/jobLife.ts",
    from: "    const job = {\n      id,",
    to: "    const job = {\n      workEnded,\n      id,"
  }
]

export const variants: Readonly<Record<string, Variant>> = {
  "a slot is freed before the process tree is dead": {
    symptom: /and its process \d+ lives|has returned, and process \d+ lives/,
    patches: [
      {
        file: "src/process/superviseProcess.ts",
        from: `      if (Exit.isFailure(exit)) yield* end(Duration.zero)
      yield* Deferred.await(ended)
`,
        to: ""
      }
    ]
  },

  "history is read before subscribing": {
    isRare: true,
    symptom: /events.* after \w+ has (no answer|not seen all)/,
    patches: [
      {
        file: "src/manager/internal/EventSubscriptions.ts",
        from: `          const version = yield* signal.version
          const { cursor, events, next } = yield* read(position)
`,
        to: `          const { cursor, events, next } = yield* read(position)
          const version = yield* signal.version
`
      }
    ]
  },

  "an update of the status is not guarded": {
    isRare: true,
    // The database refuses what the code does not, and its refusal is a failure of a store that nothing is wrong with.
    symptom:
      /has returned, and it is still active|orchestrator still runs|and it still runs|nothing was wrong with the store/,
    patches: [
      {
        file: "src/store/rules/RunTransition.ts",
        from: "  if (state.attempt !== attempt) return undefined\n",
        to: ""
      },
      {
        file: "src/store/rules/RunTransition.ts",
        from: "  if (!canBecome(state.status, status)) return undefined\n",
        to: ""
      },
      // It looks twice: the registry hides most of the runs that have become active since the record was read.
      {
        file: "src/manager/internal/stopJob.ts",
        from: "    if (Option.isSome(yield* JobRegistry.get(core.jobs, id))) return Option.none()\n",
        to: ""
      }
    ]
  },

  "the intent is recorded after the spawn": {
    symptom: /was started without a recorded intent/,
    patches: [
      {
        file: "src/process/superviseProcess.ts",
        from: "      yield* Effect.onInterrupt(restore(retryWrite(opening)), () => close(undefined))\n",
        to: ""
      },
      {
        file: "src/process/superviseProcess.ts",
        from: "      const { ended, leader, output } = started.right\n",
        to: `      const { ended, leader, output } = started.right
      yield* retryWrite(opening)
`
      }
    ]
  },

  "a write is acknowledged before its commit": {
    symptom: /which is not recorded|and is not recorded|without a recorded intent|and the record|are written, and/,
    patches: [
      {
        file: "src/store/sql/Writer.ts",
        from: "                  exit = result\n",
        to: `                  exit = result
                  if (Exit.isSuccess(result)) answer(result)
`
      }
    ]
  },

  "recovery goes by elapsed time": {
    symptom: /no manager came up: AlreadyManaged|there are two managers/,
    patches: [
      {
        file: "src/store/sqlite/Ownership.ts",
        from: "return inMemory.has(found.id) ? isAlive(found.process) : Effect.succeed(false)",
        to: "return Effect.map(DateTime.now, (now) => DateTime.toEpochMillis(now) - decodeTime(found.id) < 2_000)"
      },
      {
        file: "src/store/sqlite/Ownership.ts",
        from: 'import { Effect, Exit, Option, Scope } from "effect"\n',
        to: 'import { DateTime, Effect, Exit, Option, Scope } from "effect"\nimport { decodeTime } from "ulid"\n'
      }
    ]
  },

  "a wake-up of a subscriber is lost": {
    symptom: /events.* after \w+ has (no answer|not seen all)|await of job\d+ has no answer/,
    patches: [
      {
        file: "src/store/port/ChangeNotifier.ts",
        from: "        seen === version ? Deferred.await((next ??= Deferred.unsafeMake(FiberId.none))) : Effect.void\n",
        to: "        Deferred.await((next ??= Deferred.unsafeMake(FiberId.none)))\n"
      }
    ]
  },

  "stop does not wait": {
    symptom: /stop(All)? of job\d+ (has returned|says cancelled)/,
    patches: [
      {
        file: "src/manager/internal/stopJob.ts",
        from: "    if (!isSpent) yield* job.grace.over\n",
        to: '    return Option.some(yield* report(job.id, begun, "cancelled", "graceful"))\n'
      }
    ]
  },

  "recovered runs take no permit": {
    symptom: /\d jobs are running, and \d may/,
    patches: [
      {
        file: "src/manager/internal/beginRun.ts",
        from: `(core, {
        id,
        waited: run.status,
        prepare,
        caller
      })`,
        to: "(core, { id, waited: run.status, prepare, caller, isFree: true })"
      },
      {
        file: "src/manager/internal/jobLife.ts",
        from: "    core.permits.withPermitsIfAvailable(1),\n",
        to: "    admission.isFree ? Effect.asSome : core.permits.withPermitsIfAvailable(1),\n"
      }
    ]
  },

  "a merge is recorded before the ref has moved": {
    symptom: /is merged, and not in the result/,
    patches: [
      {
        file: "src/tasks/run/mergeUnit.ts",
        from: `    yield* ResultBranch.trySet(ctx, commit)
    yield* progress.changeUnit(unit.id, { state: "merged", endedAt: yield* now })
`,
        to: `    yield* progress.changeUnit(unit.id, { state: "merged", endedAt: yield* now })
    yield* ResultBranch.trySet(ctx, commit)
`
      }
    ]
  },

  "a child outlives its job": {
    symptom: /and \d+ of its fibers still run/,
    patches: [
      ...workEnded,
      {
        file: "src/manager/internal/jobLife.ts",
        from: "    yield* timeLimit.within(core, job, Fiber.await(job.fiber))\n",
        to: "    yield* Effect.exit(Deferred.await(job.workEnded))\n"
      }
    ]
  },

  "a permit is released before the children have ended": {
    symptom: /\d+ jobs (are running|run or have fibers that do), and \d+ may/,
    patches: [
      ...workEnded,
      {
        file: "src/manager/internal/jobLife.ts",
        from: "onSuccess: (job) => Effect.as(live(core, job), notify(core, job))\n",
        to: "onSuccess: (job) => Effect.as(Deferred.await(job.workEnded), Effect.zipRight(live(core, job), notify(core, job)))\n"
      }
    ]
  },

  "a failure is recorded as interrupted": {
    symptom: /has job\.(interrupted|cancelled), and its work had failed before/,
    patches: [
      {
        file: "src/manager/internal/JobOutcome.ts",
        from: 'first(cause) === "manager"',
        to: "Cause.isInterrupted(cause)"
      }
    ]
  },

  "a service is taken from around the manager": {
    symptom: /has a service around the manager/,
    patches: [
      {
        file: "src/manager/internal/provideOwn.ts",
        from: "Context.omit(Tracer.ParentSpan)(own).pipe(",
        to: "Context.merge(own, job).pipe("
      }
    ]
  },

  "a signal is lost that comes before the park": {
    isRare: true,
    symptom: /is parked for \w+, which has come/,
    patches: [
      {
        file: "src/store/sql/runWrites.ts",
        from: 'if (type !== "job.parked" || parked?.signal === undefined) return apply(batch, head, change, false)',
        to: "return apply(batch, head, change, false)"
      }
    ]
  },

  "a start that is rolled back runs": {
    symptom: /was rolled back, and is recorded/,
    patches: [
      {
        file: "src/manager/internal/startJob.ts",
        from: "yield* core.store.outbox.insert(run)",
        to: "yield* Effect.as(core.fork(Effect.ignore(core.store.create({ ...run, isQueued: true }))), submission.id)"
      }
    ]
  },

  "a pending run is started twice": {
    symptom: /has job\.started after job\.started|runs twice at once/,
    patches: [
      {
        file: "src/manager/internal/dispatcher.ts",
        from: "    return {\n      run,\n",
        to: "    return {\n      run: race.all([run, run]),\n"
      },
      {
        file: "src/manager/internal/jobLife.ts",
        from: "      if (!isNew) return yield* new AlreadyActive()\n",
        to: ""
      },
      {
        file: "src/store/rules/RunTransition.ts",
        from: 'isReady(state.waitsFor) && attempt === state.attempt + (state.status === "pending" ? 0 : 1)',
        to: 'attempt === state.attempt + (["pending", "running"].includes(state.status) ? 0 : 1)'
      }
    ]
  },

  "the order of runs that wait is lost by a crash": {
    isRare: true,
    symptom: /has begun before \w+, whose turn it was/,
    patches: [
      {
        file: "src/manager/internal/dispatcher.ts",
        from: "    const next = Effect.gen(",
        to: "    let recovered\n    const next = Effect.gen("
      },
      // What the manager before has left begins in the reverse order.
      {
        file: "src/manager/internal/dispatcher.ts",
        from: "      const [first] = yield* store.due({ kind, statuses, limit: 1 })\n",
        to: `      const due = yield* store.due({ kind, statuses, limit: 1_000 })
      recovered ??= due.map(({ run }) => run.id).reverse()
      const id = recovered.find((id) => due.some(({ run }) => run.id === id))
      const first = due.find(({ run }) => run.id === id) ?? due[0]
`
      }
    ]
  },

  "a job that parks keeps its permit": {
    symptom: /is (pending|parked|interrupted), and is not continued|places are missing/,
    patches: [
      {
        file: "src/manager/internal/jobLife.ts",
        from: "onSuccess: (job) => Effect.as(live(core, job), notify(core, job))\n",
        to: `onSuccess: (job) =>
        Effect.flatMap(Effect.zipRight(live(core, job), Ref.get(job.record)), ({ status }) =>
          status === "parked"
            ? Effect.as(Effect.zipRight(notify(core, job), core.shutdown.orOver(Effect.never)), Effect.void)
            : Effect.succeed(notify(core, job))
        )
`
      }
    ]
  },

  "a wake-up is missed when the clock jumps": {
    isRare: true,
    symptom: /is due since \d+ ms, and still waits for its time/,
    patches: [
      {
        file: "src/manager/internal/dispatcher.ts",
        from: ", afterJump(due.value, store.now)])",
        to: "])"
      }
    ]
  },

  "a pause is checked before the transaction": {
    isRare: true,
    symptom: /has begun, and its kind is paused/,
    patches: [
      {
        file: "src/store/sql/runWrites.ts",
        from: "          if (isPaused(run.kind)) return Exit.fail(new KindPaused({ kind: run.kind }))\n",
        to: ""
      },
      {
        file: "src/store/sql/runWrites.ts",
        from: "            if (isPaused(kind)) return yield* new KindPaused({ kind })\n",
        to: ""
      },
      {
        file: "src/store/sql/runWrites.ts",
        from: "return isHeldUp ? new KindPaused({ kind: head.kind }) : begin(batch, beginning)",
        to: "return begin(batch, beginning)"
      }
    ]
  },

  "the commit of a start goes unnoticed": {
    symptom: /was committed, and is not queued/,
    patches: [
      {
        file: "src/store/sql/SqlOutbox.ts",
        from: "Effect.zipLeft(insert(connection, run), committed(run.kind).wake)",
        to: "insert(connection, run)"
      }
    ]
  },

  "a time limit records the intent to stop": {
    symptom: /has job\.stopping, and nobody has stopped it/,
    patches: [
      {
        file: "src/manager/internal/timeLimit.ts",
        from: '{ type: "job.timeout", limit }',
        to: '{ type: "job.stopping" }'
      }
    ]
  },

  "a crash counts as a try": {
    symptom: /has \d tries, and not \d/,
    patches: [
      {
        file: "src/store/rules/RunTransition.ts",
        from: "        crashes: crashed === true ? state.crashes + 1 : 0\n",
        to: `        crashes: crashed === true ? state.crashes + 1 : 0,
        tries: crashed === true ? state.tries + 1 : state.tries
`
      }
    ]
  },

  "two runs retry one": {
    symptom: /is retried by two runs/,
    patches: [
      // The record of the run that is retried is read before the transaction.
      {
        file: "src/store/rules/admitRun.ts",
        from: "    if (retried?.as !== undefined && retryOf?.mayRepeat !== true)",
        to: "    if (false)"
      },
      {
        file: "src/store/rules/admitRun.ts",
        from: "retryOf === undefined || retried === undefined || retried.as !== undefined\n",
        to: "retryOf === undefined || retried === undefined\n"
      },
      {
        file: "src/store/sqlite/schema.ts",
        from: "CREATE UNIQUE INDEX charlotte_runs_retry_of",
        to: "CREATE INDEX charlotte_runs_retry_of"
      }
    ]
  },

  "a request of a producer is applied twice": {
    symptom: /has signal \d+ twice/,
    patches: [
      {
        file: "src/manager/internal/requests.ts",
        from: "payload, sender, limit, request: seq, at })",
        to: "payload, sender, limit, at })"
      },
      {
        file: "src/manager/internal/requests.ts",
        from: "            Effect.zipRight(wake(jobId)),\n",
        to: "            Effect.zipRight(store.producers.settle(request)),\n            Effect.zipRight(wake(jobId)),\n"
      }
    ]
  },

  "what producers ask for is lost with their manager": {
    symptom: /a producer has (stopped|sent) /,
    patches: [
      {
        file: "src/manager/internal/requests.ts",
        from: "      const version = yield* submitted.version\n",
        to: "      const version = yield* submitted.version\n      yield* submitted.changed(version)\n"
      }
    ]
  }
}
