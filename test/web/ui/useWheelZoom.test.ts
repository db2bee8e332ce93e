import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Locator, Page } from "playwright-core"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { act, layer as browser } from "../support/Browser.js"
import * as World from "../support/World.js"
import { busyJob, config, happen } from "../job/story.js"

const busy = (view: string) =>
  Effect.gen(function* () {
    const logs = yield* TemporaryDirectory.make
    const world = yield* World.make({ server: { logs } })
    const id = yield* world.client.start(config())
    yield* happen(world.script, id, busyJob(logs))
    const { page, problems } = yield* world.open(`/jobs/${id}?view=${view}`)
    yield* act(() => page.getByText("4 of 11 tasks").waitFor())
    return { page, problems }
  })

/** Turns the wheel over a place once, with Ctrl or without. */
const turn = (
  page: Page,
  { over, by, ctrl }: { readonly over: Locator; readonly by: number; readonly ctrl: boolean }
) =>
  act(async () => {
    await over.hover()
    if (ctrl) await page.keyboard.down("Control")
    await page.mouse.wheel(0, by)
    if (ctrl) await page.keyboard.up("Control")
  })

const pixelRatio = (page: Page) => act(() => page.evaluate(() => devicePixelRatio))

layer(browser, { excludeTestServices: true })("the wheel", (it) => {
  it.scoped("zooms the graph with Ctrl, and not the page; without it, it does not zoom", () =>
    Effect.gen(function* () {
      const { page, problems } = yield* busy("graph")
      const [over, ratio] = [page.locator(".graph-box"), yield* pixelRatio(page)]
      const scale = act(() => page.locator(".graph-canvas").evaluate((canvas) => canvas.style.transform))
      const before = yield* scale
      yield* turn(page, { over, by: -100, ctrl: false })
      yield* turn(page, { over, by: -100, ctrl: true })
      yield* Effect.repeat(scale, { until: (now) => now !== before })
      yield* turn(page, { over, by: 100, ctrl: true })
      // The first turn, without Ctrl, has not zoomed.
      yield* Effect.repeat(scale, { until: (now) => Math.abs(numberIn(now) - numberIn(before)) < 1e-6 })
      expect(yield* pixelRatio(page)).toBe(ratio)
      expect(problems).toEqual([])
    })
  )

  it.scoped("zooms the timeline with Ctrl, around the pointer", () =>
    Effect.gen(function* () {
      const { page, problems } = yield* busy("timeline")
      const over = page.locator(".timeline-ticks")
      const isZoomed = act(() => page.getByRole("button", { name: "Later" }).isEnabled())
      yield* turn(page, { over, by: -500, ctrl: false })
      expect(yield* isZoomed).toBe(false)
      // A second is the closest: it has to be longer than that.
      yield* Effect.repeat(Effect.zipRight(turn(page, { over, by: -500, ctrl: true }), isZoomed), { until: (so) => so })
      yield* turn(page, { over, by: 5_000, ctrl: true })
      yield* Effect.repeat(isZoomed, { until: (so) => !so })
      expect(problems).toEqual([])
    })
  )
})

const numberIn = (text: string): number => Number(/[\d.]+/.exec(text)?.[0])
