/** Producers in many processes beside one worker on one SQLite file, each of which is killed in turn. */
import { describe, expect, it } from "@effect/vitest"
import { Database, Runs, RunStore } from "charlotte"
import { Effect, Layer, Random, type Scope } from "effect"
import { fileURLToPath } from "node:url"
import * as Audit from "../../src/store/Audit.js"
import { poll } from "../../src/internal/RealClock.js"
import { bundle } from "../support/bundle.js"
import { isLong } from "../support/long.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as Killed from "./killedProcess.js"

const producers = 8
const starts = Number(process.env["CRASH_STARTS"] ?? (isLong ? 20_000 : 2_000))

/** How long a write waits for others at least, in milliseconds. */
const busyTimeout = 5_000

/** How long the last worker may take, in milliseconds: most starts may be left to it, on a machine with other work. */
const rest = 300_000 + starts * 30

interface Story {
  /** The acknowledged starts: the id of each, by what it sends. */
  readonly started: Map<string, string>
  /** How many starts of each life of a producer were acknowledged. */
  readonly byLife: Map<string, number>
  readonly wrong: Array<string>
  kills: number
}

const hear = (story: Story, line: string): void => {
  const [what = "", first = "", second = "", ...rest] = line.split(" ")
  if (what === "started") {
    const [life = ""] = second.split("-")
    story.started.set(second, first)
    story.byLife.set(life, (story.byLife.get(life) ?? 0) + 1)
  }
  // A machine may be so busy that a write waits for longer.
  if (what === "refused" && !(second === "StoreError" && Number(first) >= busyTimeout)) {
    story.wrong.push(`refused after ${first} ms: ${second} ${rest.join(" ")}`)
  }
}

const live = (program: string, args: ReadonlyArray<string>, story: Story) =>
  Killed.live(program, args, {
    hear: (line) => hear(story, line),
    wrong: (problem) => void story.wrong.push(problem)
  })

/** Lives that follow each other until there are enough starts; each ends by `kill -9` after some of them. */
const lives = (
  story: Story,
  life: (n: number) => Effect.Effect<void, never, Scope.Scope>,
  { least, most }: { readonly least: number; readonly most: number },
  /** How many starts count for a life. */
  countStarts: (n: number) => number
) =>
  Effect.gen(function* () {
    const isOver = () => story.started.size >= starts || story.wrong.length > 0
    for (let n = 0; !isOver(); n++) {
      const before = countStarts(n)
      const more = yield* Random.nextIntBetween(least, most)
      const lived = Effect.repeat(Effect.sleep(5), { until: () => isOver() || countStarts(n) >= before + more })
      yield* Effect.scoped(Effect.zipRight(life(n), lived))
      story.kills += 1
    }
  })

describe("producers and a worker that are killed", () => {
  it.scopedLive(
    "lose no acknowledged start, run none twice, and are refused by nothing",
    () =>
      Effect.gen(function* () {
        const directory = yield* TemporaryDirectory.make
        const program = yield* bundle(directory, fileURLToPath(new URL("producers/main.ts", import.meta.url)))
        const filename = `${directory}/jobs.db`
        const story: Story = { started: new Map(), byLife: new Map(), wrong: [], kills: 0 }
        const worker = lives(
          story,
          () => live(program, ["worker", filename], story),
          { least: 50, most: 250 },
          () => story.started.size
        )
        const all = Array.from({ length: producers }, (_, i) =>
          lives(
            story,
            (n) => live(program, ["producer", filename, `${i}x${n}`], story),
            { least: 1, most: 80 },
            (n) => story.byLife.get(`${i}x${n}`) ?? 0
          )
        )
        // The first one makes the file.
        yield* Effect.provide(Effect.void, RunStore.layer.pipe(Layer.provide(Database.layer({ filename }))))
        yield* Effect.all([worker, ...all], { concurrency: "unbounded", discard: true })
        expect(story.wrong).toEqual([])

        const jobs = yield* Effect.gen(function* () {
          yield* live(program, ["worker", filename], story)
          const runs = yield* Runs.Runs
          const unfinished = yield* poll(
            Effect.map(
              Effect.forEach(["pending", "running", "interrupted"] as const, (status) =>
                runs.list({ kind: "mail", status, limit: 10 })
              ),
              (lists) => lists.flat()
            ),
            { until: (runs) => runs.length === 0 || story.wrong.length > 0, pause: 100, atMost: rest }
          )
          expect(story.wrong).toEqual([])
          expect(unfinished.map(({ attempt, id, status }) => `${id} ${status} ${attempt}`)).toEqual([])
          const completed = new Map<string, number>()
          let before: Parameters<typeof runs.page>[0] = { kind: "mail", limit: 1_000 }
          while (before !== undefined) {
            const page: Runs.Page = yield* runs.page(before)
            for (const { id, result, status } of page.runs) {
              expect(status, id).toBe("completed")
              const { sentTo } = Object(result)
              completed.set(sentTo, (completed.get(sentTo) ?? 0) + 1)
              const acknowledged = story.started.get(sentTo)
              if (acknowledged !== undefined) expect(acknowledged).toBe(id)
            }
            before = page.next === undefined ? undefined : { kind: "mail", limit: 1_000, before: page.next }
          }
          expect([...story.started.keys()].filter((to) => completed.get(to) !== 1)).toEqual([])
          expect([...completed].filter(([, times]) => times !== 1)).toEqual([])
          expect((yield* Audit.run()).violations).toEqual([])
          return completed.size
        }).pipe(Effect.scoped, Effect.provide(RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })))))
        expect(story.wrong).toEqual([])
        process.stdout.write(
          `producers: ${story.started.size} acknowledged starts, ${jobs} jobs, ${story.kills} kills\n`
        )
      }),
    600_000 + starts * 60
  )
})
