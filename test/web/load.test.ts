/** A thousand events a second: the page stays quick, and does not grow. */
import { expect, layer } from "@effect/vitest"
import type { Step } from "charlotte/testing"
import { Duration, Effect, Schedule } from "effect"
import type { Page } from "playwright-core"
import manifest from "../../package.json" with { type: "json" }
import { figures } from "../support/figures.js"
import { isLong } from "../support/long.js"
import { act, Browser, layer as browser } from "./support/Browser.js"
import * as World from "./support/World.js"

const jobs = 20
const perSecond = 1_000
const [seconds, warmUp] = isLong ? [60, 10] : [10, 4]

declare global {
  interface Window {
    load?: { events: number; last: number; gaps: number }
  }
}

/** Counts the events that arrive; nothing is kept of them. */
const watch = (page: Page) =>
  act(() =>
    page.evaluate((name) => {
      const load = { events: 0, last: 0, gaps: 0 }
      window.load = load
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

interface Trace {
  readonly traceEvents: ReadonlyArray<{
    readonly name: string
    readonly pid: number
    readonly tid: number
    /** Microseconds of the processor. */
    readonly tdur?: number
    readonly args: { readonly name?: string }
  }>
}

/** Milliseconds of the processor that the longest task of the page takes, which do not depend on what else a machine does. */
const longestTask = <A, E, R>(page: Page, during: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const chromium = yield* Browser
    yield* act(() => chromium.startTracing(page, { categories: ["toplevel"] }))
    const result = yield* during
    const { traceEvents }: Trace = JSON.parse((yield* act(() => chromium.stopTracing())).toString())
    const threadOf = ({ pid, tid }: { readonly pid: number; readonly tid: number }) => `${pid} ${tid}`
    const main = new Set(traceEvents.filter(({ args }) => args.name === "CrRendererMain").map(threadOf))
    const tasks = traceEvents.flatMap((event) =>
      event.name.endsWith("RunTask") && event.tdur !== undefined && main.has(threadOf(event)) ? [event.tdur] : []
    )
    expect(tasks.length).toBeGreaterThan(100)
    return [tasks.reduce((longest, task) => Math.max(longest, task), 0) / 1_000, result] as const
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

/** Emits its share until it is stopped. */
const chatter: Step.Step = (job) =>
  job
    .emit({ type: "task.started", unit: "api", task: 1, payload: { title, attempt: 1 } })
    .pipe(Effect.repeatN(burst - 1), Effect.repeat(Schedule.fixed(every)), Effect.asVoid)

const config = (name: string) => ({ repoPath: "/home/ada/greeter", tasksDir: name, targetBranch: "main" })

layer(browser, { excludeTestServices: true })("the list of jobs", (it) => {
  it.scoped(`at ${perSecond} events a second has no task longer than 100 ms, and a heap that stays as it is`, () =>
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
      const [longest, [time, load]] = yield* longestTask(
        page,
        Effect.timed(
          Effect.gen(function* () {
            const { events } = yield* observed(page)
            yield* Effect.sleep(`${seconds} seconds`)
            const load = yield* observed(page)
            return { ...load, events: load.events - events }
          })
        )
      )
      const after = yield* heap(page)

      const rate = load.events / Duration.toSeconds(time)
      const kib = Math.round((after - before) / 1024)
      figures(
        `page: ${Math.round(rate)} events a second for ${seconds} s, longest task ${Math.round(longest)} ms, ` +
          `heap ${(after / 1024 ** 2).toFixed(2)} MiB, grown by ${kib} KiB`
      )
      // A machine that is busy otherwise emits more slowly.
      expect(rate).toBeGreaterThan(isLong ? perSecond * 0.9 : 10)
      expect(load.gaps).toBe(0)
      expect(longest).toBeLessThanOrEqual(100)
      expect(after - before).toBeLessThan(1024 ** 2)
      // It still shows what happens.
      yield* act(() => page.getByText(title).first().waitFor())
      expect(problems).toEqual([])
    })
  )
})
