import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Page } from "playwright-core"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { violations } from "../support/axe.js"
import { act, layer as browser } from "../support/Browser.js"
import * as World from "../support/World.js"
import { openLargeJob } from "./openLargeJob.js"
import { config, emitAll, makeTask, planned } from "./story.js"

/** Reads the CPU time of the page's thread from here on, in seconds, which does not depend on what else a machine does. */
const watchCpu = (page: Page) =>
  act(async () => {
    const session = await page.context().newCDPSession(page)
    await session.send("Performance.enable", { timeDomain: "threadTicks" })
    return act(async () => {
      const { metrics } = await session.send("Performance.getMetrics")
      return metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN
    })
  })

layer(browser, { excludeTestServices: true })("the view of a large job", (it) => {
  it.scoped("merges alike units of 500, so that what is at work is seen, and shows all on request", () =>
    Effect.gen(function* () {
      const { page, problems } = yield* openLargeJob
      const nodes = page.locator(".node")
      expect(yield* act(() => nodes.count())).toBeLessThan(40)
      for (const unit of ["unit-060", "unit-061", "unit-062", "unit-063"]) {
        yield* act(() => page.locator(`[data-node="${unit}"]`).getByText("0/2").waitFor())
      }
      expect(yield* violations(page)).toEqual([])

      const cpu = yield* watchCpu(page)
      yield* act(() => page.getByRole("button", { name: "Show all 500 units" }).click())
      yield* act(() => page.waitForFunction(() => document.querySelectorAll(".node").length === 500))
      yield* act(() => page.locator('[data-node="unit-060"]').focus())
      yield* act(() => page.keyboard.press("ArrowDown"))
      const focused = yield* act(() => page.evaluate(() => document.activeElement?.getAttribute("data-node")))
      expect(focused).toMatch(/^unit-(?!060)/)
      for (const key of ["-", "+", "0"]) yield* act(() => page.keyboard.press(key))
      yield* act(() => page.keyboard.press("3"))
      yield* act(() => page.getByRole("treeitem", { name: /^unit-000/ }).waitFor())
      yield* act(() => page.getByText("436 units not begun").waitFor())
      // Rows out of sight are not in the document.
      expect(yield* act(() => page.getByRole("treeitem").count())).toBeLessThan(70)
      const used = yield* cpu
      expect(used).toBeGreaterThan(0)
      expect(used).toBeLessThan(1.5)
      expect(problems).toEqual([])
    })
  )

  it.scoped("shows, follows, scrolls and searches a log of 10 MB without freezing", () =>
    Effect.gen(function* () {
      const logs = yield* TemporaryDirectory.make
      const world = yield* World.make({ server: { logs } })
      const { agent, begin } = makeTask(logs)
      const lines = Array.from(
        { length: 100_000 },
        (_, at) => `\u001b[3${at % 8}m${String(at).padStart(6, "0")}\u001b[0m ${"some output of an agent ".repeat(4)}`
      )
      lines[77_777] = "the NEEDLE"
      const text = `${lines.join("\n")}\nthe end`
      expect(text.length).toBeGreaterThan(10_000_000)
      const id = yield* world.client.start(config())
      const plan = planned([{ id: "api", tasks: ["Print much"] }])
      yield* world.script.send(id, ...emitAll([plan, begin("api"), ...agent("api", 1, 1, "Print much", text)]))
      const { page, problems } = yield* world.open("/jobs")
      const cpu = yield* watchCpu(page)
      yield* act(() => page.getByRole("link", { name: "tasks/greetings" }).click())
      const log = page.locator(".log-rows")
      yield* act(() => log.getByText("the end").waitFor())
      expect(yield* act(() => page.locator(".log-row").count())).toBeLessThan(120)

      yield* act(() => log.evaluate((box) => box.scrollTo(0, box.scrollHeight / 2)))
      yield* act(() =>
        page.waitForFunction(() => !document.querySelector(".log-rows")?.textContent?.includes("the end"))
      )
      yield* act(() => page.keyboard.press("/"))
      yield* act(() => page.keyboard.type("needle"))
      yield* act(() => page.getByText("1 of 1").waitFor())
      yield* act(() => log.locator("mark").getByText("NEEDLE").waitFor())
      const used = yield* cpu
      expect(used).toBeGreaterThan(0)
      expect(used).toBeLessThan(3)
      expect(problems).toEqual([])
    })
  )
})
