/** A thousand events a second: the page stays quick, and does not grow. */
import { expect, layer } from "@effect/vitest"
import type { Step } from "charlotte/testing"
import { Duration, Effect, Schedule } from "effect"
import type { Page } from "playwright-core"
import manifest from "../../package.json" with { type: "json" }
import { figures } from "../support/figures.js"
import { isLong } from "../support/long.js"
import { act, layer as browser } from "./support/Browser.js"
import * as World from "./support/World.js"

const jobs = 20
const perSecond = 1_000
const [seconds, warmUp] = isLong ? [60, 10] : [10, 4]

declare global {
  interface Window {
    load?: { longest: number; events: number; last: number; gaps: number }
  }
}

/** Long tasks, and the events that arrive; nothing is kept of them. */
const watch = (page: Page) =>
  act(() =>
    page.evaluate((name) => {
      const load = { longest: 0, events: 0, last: 0, gaps: 0 }
      window.load = load
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) load.longest = Math.max(load.longest, duration)
      }).observe({ type: "longtask" })
      new BroadcastChannel(name).addEventListener("message", ({ data }) => {
        if (data.type !== "events") return
        load.events += data.lines.length
        if (load.last !== 0 && data.after !== load.last) load.gaps += 1
        load.last = data.upTo
      })
    }, `charlotte.events.${manifest.version}`)
  )

const observed = (page: Page) =>
  act(async () => {
    const load = await page.evaluate(() => window.load)
    if (load === undefined) throw new Error("the page was loaded again")
    return load
  })

/** Bytes of the heap after collection, with the events that have arrived and are not drawn yet. */
const heapNow = (page: Page) =>
  act(async () => {
    const session = await page.context().newCDPSession(page)
    for (let times = 0; times < 2; times++) await session.send("HeapProfiler.collectGarbage")
    await session.send("Performance.enable")
    const { metrics } = await session.send("Performance.getMetrics")
    await session.detach()
    return metrics.find(({ name }) => name === "JSHeapUsedSize")?.value ?? Number.NaN
  })

/** Bytes that are kept: the least of five readings, since those of a busy machine have up to a megabyte of events on their way. */
const heap = (page: Page) =>
  heapNow(page).pipe(
    Effect.delay("200 millis"),
    Effect.replicateEffect(5),
    Effect.map((readings) => Math.min(...readings))
  )

/** How often a job emits, in milliseconds. */
const every = 100
const burst = (perSecond * every) / 1_000 / jobs

const title = "Move retries into a schedule"

/** Emits its share for as long as it is watched, and then waits. */
const chatter: Step.Step = (job) =>
  job
    .emit({ type: "task.started", unit: "api", task: 1, payload: { title, attempt: 1 } })
    .pipe(
      Effect.repeatN(burst - 1),
      Effect.repeat(Schedule.fixed(every).pipe(Schedule.upTo(`${seconds + warmUp + 5} seconds`))),
      Effect.zipRight(Effect.never)
    )

const config = (name: string) => ({ repoPath: "/home/ada/greeter", tasksDir: name, targetBranch: "main" })

layer(browser, { excludeTestServices: true })("the list of jobs", (it) => {
  it.scoped(
    `at ${perSecond} events a second has no task longer than 100 ms, and a heap that stays as it is`,
    () =>
      Effect.gen(function* () {
        const world = yield* World.make({ maxJobs: jobs })
        const { page, problems } = yield* world.open()
        yield* act(() => page.getByText("No jobs yet").waitFor())
        for (let n = 0; n < jobs; n++) {
          const id = yield* world.client.start(config(`job ${n}`))
          yield* world.script.send(id, chatter)
        }
        yield* Effect.sleep(`${warmUp} seconds`)
        yield* watch(page)
        const before = yield* heap(page)
        const [time, load] = yield* Effect.timed(
          Effect.gen(function* () {
            const { events } = yield* observed(page)
            yield* Effect.sleep(`${seconds} seconds`)
            const load = yield* observed(page)
            return { ...load, events: load.events - events }
          })
        )
        const after = yield* heap(page)

        const rate = load.events / Duration.toSeconds(time)
        const kib = Math.round((after - before) / 1024)
        figures(
          `page: ${Math.round(rate)} events a second for ${seconds} s, longest task ${Math.round(load.longest)} ms, ` +
            `heap ${(after / 1024 ** 2).toFixed(2)} MiB, grown by ${kib} KiB`
        )
        expect(rate).toBeGreaterThan(perSecond * 0.9)
        expect(load.gaps).toBe(0)
        expect(load.longest).toBeLessThanOrEqual(100)
        expect(after - before).toBeLessThan(1024 ** 2)
        // It still shows what happens.
        yield* act(() => page.getByText(title).first().waitFor())
        expect(problems).toEqual([])
      }),
    (seconds + warmUp + 60) * 1_000
  )
})
