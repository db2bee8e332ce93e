/**
 * The product, broken in ten ways. Each is a way in which it was, or might have been, written by mistake; the simulation has
 * to find it. A patch that no longer fits the product fails loudly: then it is to be written anew.
 */
import type { Patch } from "./Bundle.js"

export interface Variant {
  readonly patches: ReadonlyArray<Patch>
  /** What is said of it. */
  readonly tells: RegExp
}

export const variants: Readonly<Record<string, Variant>> = {
  "a slot is freed before the process tree is dead": {
    tells: /and its process \d+ lives|has returned, and process \d+ lives/,
    patches: [
      {
        file: "src/tasks/process/Running.ts",
        from: `        if (Exit.isFailure(exit)) yield* terminate(tree, { settle: Duration.zero, grace: grace(), isHurried })
        yield* Deferred.await(ended)
`,
        to: ""
      }
    ]
  },

  "history is read before subscribing": {
    tells: /events.* after \w+ has (no answer|not seen all)/,
    patches: [
      {
        file: "src/manager/EventStreams.ts",
        from: `            const version = yield* signal.version
            const { cursor, events, next } = yield* read(after)
`,
        to: `            const { cursor, events, next } = yield* read(after)
            const version = yield* signal.version
`
      }
    ]
  },

  "an update of the status is not guarded": {
    tells: /has returned, and it is still active|orchestrator still runs|and it still runs/,
    patches: [
      {
        file: "src/store/Transition.ts",
        from: "  if (state.attempt !== attempt) return undefined\n",
        to: ""
      }
    ]
  },

  "the intent is recorded after the spawn": {
    tells: /was started, and nobody has recorded that it would be/,
    patches: [
      {
        file: "src/tasks/process/Running.ts",
        from: "        yield* Effect.tapErrorCause(opened, () => launch.clear(cookie))\n",
        to: ""
      },
      {
        file: "src/tasks/process/Running.ts",
        from: "        const { ended, leader, output } = started.right\n",
        to: `        const { ended, leader, output } = started.right
        yield* opened
`
      }
    ]
  },

  "a write is acknowledged before its commit": {
    tells: /which is not recorded|and is not recorded|nobody has recorded|and the record|are written, and/,
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
    tells: /no manager came up: AlreadyManaged|there are two managers/,
    patches: [
      {
        file: "src/manager/Recovery.ts",
        from: "(yield* kernel.isAlive(current.value.process))",
        to: "DateTime.toEpochMillis(yield* DateTime.now) - decodeTime(current.value.id) < 2_000"
      },
      {
        file: "src/manager/Recovery.ts",
        from: 'import { Cause, DateTime, Effect, Exit, Option } from "effect"\n',
        to: 'import { Cause, DateTime, Effect, Exit, Option } from "effect"\nimport { decodeTime } from "ulid"\n'
      }
    ]
  },

  "a wake-up of a subscriber is lost": {
    tells: /events.* after \w+ has (no answer|not seen all)|await of job\d+ has no answer/,
    patches: [
      {
        file: "src/store/Signals.ts",
        from: "        seen === version ? Deferred.await((next ??= Deferred.unsafeMake(FiberId.none))) : Effect.void\n",
        to: "        Deferred.await((next ??= Deferred.unsafeMake(FiberId.none)))\n"
      }
    ]
  },

  "stop does not wait": {
    tells: /stop(All)? of job\d+ (has returned|says cancelled)/,
    patches: [
      {
        file: "src/manager/Stop.ts",
        from: "      const run = yield* deadlines.within(job.ended, Duration.sum(grace, afterGrace))\n",
        to: '      const run = Option.some({ status: "cancelled" })\n'
      }
    ]
  },

  "recovered runs take no permit": {
    tells: /\d jobs are running, and \d may/,
    patches: [
      {
        file: "src/manager/make.ts",
        from: "        yield* jobs.launch({ id, config, submission }, admit)\n",
        to: "        yield* jobs.launch({ id, config, submission, isFree: true }, admit)\n"
      },
      {
        file: "src/manager/ActiveJob.ts",
        from: "        if (!permits.tryTake()) return",
        to: "        if (!submitted.isFree && !permits.tryTake()) return"
      }
    ]
  },

  "a merge is recorded before the ref has moved": {
    tells: /is merged, and not in the result/,
    patches: [
      {
        file: "src/tasks/work/Merging.ts",
        from: `    yield* Result.show(job, commit)
    yield* progress.changeUnit(unit.id, { state: "merged", endedAt: yield* DateTime.now })
`,
        to: `    yield* progress.changeUnit(unit.id, { state: "merged", endedAt: yield* DateTime.now })
    yield* Result.show(job, commit)
`
      }
    ]
  }
}
