/** A worker, and two subscribers of one name, each of which is killed in turn, on one SQLite file. */
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Exit, Layer, Random, Scope } from "effect"
import { fileURLToPath } from "node:url"
import * as Audit from "../../src/store/Audit.js"
import { poll } from "../../src/internal/RealClock.js"
import { type Patch, patching } from "../simulation/Bundle.js"
import { bundle } from "../support/bundle.js"
import { isLong } from "../support/long.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as Killed from "./killedProcess.js"

const kills = Number(process.env["CRASH_KILLS"] ?? (isLong ? 200 : 20))

/** How many further lines are heard before the next kill. */
const [least, most] = [5, 60]

/** The cursors of all events, in order, and the ids of all jobs that have ended. */
const logged = Effect.gen(function* () {
  const { subscribers } = yield* RunStore.RunStore
  const cursors: Array<number> = []
  const ended: Array<string> = []
  for (let after = 0; ;) {
    const page = yield* subscribers.deliveries({ after, limit: 1_000 })
    for (const { event } of page.deliveries) {
      cursors.push(event.cursor)
      if (/^job\.(completed|failed|cancelled)$/.test(event.type)) ended.push(event.jobId)
    }
    if (!page.more) return { cursors, ended }
    after = page.cursor
  }
})

const haveCaughtUp = Effect.flatMap(RunStore.RunStore, ({ subscribers }) =>
  poll(subscribers.list, {
    until: (all) => all.every(({ behind }) => behind === 0),
    pause: 50,
    atMost: "5 minutes"
  })
)

/** What was heard of the lives of the processes, and what the log has in the end. */
interface Story {
  readonly cursors: ReadonlyArray<number>
  /** The jobs that have ended. */
  readonly ended: ReadonlyArray<string>
  /** What each life of a subscriber has handled. */
  readonly lives: ReadonlyArray<ReadonlyArray<number>>
  /** The jobs for which `onEnd` was called. */
  readonly notified: ReadonlySet<string>
  readonly wrong: ReadonlyArray<string>
  readonly violations: ReadonlyArray<unknown>
}

/** Kills one of a worker and two subscribers after the other, and lets them end what is left. */
const story = (
  kills: number,
  { patches = [], pause = 0 }: { readonly patches?: ReadonlyArray<Patch>; readonly pause?: number } = {}
) =>
  Effect.gen(function* () {
    const directory = yield* TemporaryDirectory.make
    const main = fileURLToPath(new URL("subscribers/main.ts", import.meta.url))
    const program = yield* bundle(directory, main, [patching(patches)])
    const filename = `${directory}/jobs.db`
    const stored = RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })))
    const wrong: Array<string> = []
    const notified = new Set<string>()
    const lives: Array<Array<number>> = []
    let heard = 0

    const live = (role: string, pause = 0) => {
      const handled: Array<number> = []
      lives.push(handled)
      return Killed.live(program, [role, filename, String(pause)], {
        wrong: (problem) => void wrong.push(problem),
        hear: (line) => {
          heard += 1
          const [what, which = ""] = line.split(" ")
          if (what === "ended") notified.add(which)
          else if (what === "handled") handled.push(Number(which))
          else wrong.push(`${role}: ${line}`)
        }
      })
    }
    const begin = (role: string) =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
        yield* Scope.extend(live(role, pause), scope)
        return { role, scope }
      })

    // The first one makes the file.
    yield* Effect.provide(Effect.void, stored)
    const living = [yield* begin("worker"), yield* begin("subscriber"), yield* begin("subscriber")]
    for (let n = 0; n < kills && wrong.length === 0; n++) {
      const until = heard + (yield* Random.nextIntBetween(least, most))
      yield* Effect.repeat(Effect.sleep(5), { until: () => heard >= until || wrong.length > 0 })
      const [first] = living.splice(yield* Random.nextIntBetween(0, living.length), 1)
      if (first === undefined) continue
      yield* Scope.close(first.scope, Exit.void)
      living.push(yield* begin(first.role))
    }
    for (const { scope } of living) yield* Scope.close(scope, Exit.void)

    return yield* Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* live("rest")
          yield* live("subscriber")
          // The jobs of the last worker were interrupted, and end now.
          yield* poll(
            Effect.flatMap(RunStore.RunStore, (store) => store.unfinished({ kind: "note", limit: 1 })),
            { until: (unfinished) => unfinished.length === 0, pause: 50, atMost: "5 minutes" }
          )
          yield* haveCaughtUp
        })
      )
      const { violations } = yield* Audit.run()
      const all: Story = { ...(yield* logged), lives, notified, wrong, violations }
      return all
    }).pipe(Effect.provide(stored))
  })

/** What subscribers have not got as they should, and how many events they got more than once. */
const judge = ({ cursors, ended, lives, notified, wrong }: Story) => {
  const indexOf = new Map(cursors.map((cursor, index) => [cursor, index]))
  const spans = lives
    .filter(({ length }) => length > 0)
    .map((handled) => handled.map((cursor) => indexOf.get(cursor) ?? -1))
    .sort(([one = 0], [other = 0]) => one - other)
  const problems = [...wrong]
  let next = 0
  for (const span of spans) {
    const [first = 0] = span
    if (first > next) problems.push(`the events from ${next} to ${first - 1} were missed`)
    if (span.some((index, i) => index !== first + i)) problems.push(`out of order: ${span.join(" ")}`)
    next = Math.max(next, first + span.length)
  }
  if (next < cursors.length) problems.push(`the events from ${next} to ${cursors.length - 1} were missed`)
  for (const id of ended) if (!notified.has(id)) problems.push(`onEnd was not called for ${id}`)
  return { problems, repeated: spans.flat().length - cursors.length }
}

describe("subscribers that are killed", () => {
  it.scopedLive(
    "get every event at least once, in order and without a gap, and onEnd gets every job that has ended",
    () =>
      Effect.gen(function* () {
        const heard = yield* story(kills)
        const { problems, repeated } = judge(heard)
        expect(problems).toEqual([])
        expect(heard.violations).toEqual([])
        const [events, ends] = [heard.cursors.length, heard.ended.length]
        process.stdout.write(
          `subscribers: ${events} events, ${repeated} of them repeated, ${ends} ends, ${kills} kills\n`
        )
      }),
    600_000 + kills * 10_000
  )

  it.scopedLive(
    "are found to miss events if their cursor moves before the handler has ended",
    () =>
      Effect.gen(function* () {
        const file = "src/manager/internal/deliver.ts"
        const from = `        if (item._tag === "Event" && !pending.isRecorded) holding.add(item.event.cursor)\n`
        const { problems } = judge(yield* story(10, { pause: 20, patches: [{ file, from, to: "" }] }))
        expect(problems.join("\n")).toMatch(/were missed|onEnd was not called/)
      }),
    600_000
  )
})
