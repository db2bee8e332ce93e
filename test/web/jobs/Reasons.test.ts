import { expect, layer } from "@effect/vitest"
import { Step } from "charlotte/testing"
import { Effect } from "effect"
import { errorOf, failures, recorded } from "../../cli/show/failures.js"
import { act, layer as browser } from "../support/Browser.js"
import * as World from "../support/World.js"

layer(browser, { excludeTestServices: true })("the list of failed jobs", (it) => {
  for (const width of [1280, 375])
    it.scoped(`shows the reason of each of 40 failures first, ${width} pixels wide`, () =>
      Effect.gen(function* () {
        const world = yield* World.make({ maxJobs: failures.length })
        for (const [at, failure] of failures.entries()) {
          const id = yield* world.client.start({
            repoPath: "/home/ada/src/greeter",
            tasksDir: `tasks/${at}`,
            targetBranch: "main"
          })
          yield* world.script.send(id, Step.fail(errorOf(recorded(failure).reason).error))
        }
        const { page } = yield* world.open("/jobs?status=failed", { viewport: { width, height: 800 } })
        yield* act(() => page.locator(`tr[data-job]:nth-child(${failures.length})`).waitFor())
        const rows = yield* act(() =>
          page.locator("tr[data-job]").evaluateAll((rows) =>
            rows.map((row) => {
              const line = row.querySelector(".last-line")
              const { left = -1, width = 0 } = line?.parentElement?.getBoundingClientRect() ?? {}
              return { name: row.querySelector("a")?.textContent, text: line?.textContent, left, width }
            })
          )
        )
        const overflow = yield* act(() => page.evaluate(() => document.documentElement.scrollWidth - innerWidth))
        expect(overflow).toBeLessThanOrEqual(0)
        for (const [at, { reason }] of failures.entries()) {
          const row = rows.find(({ name }) => name?.endsWith(`tasks/${at}`) === true)
          expect(row?.text?.slice(0, 50)).toContain(`api 1: ${reason.slice(0, 40)}`)
          expect(row?.text).not.toMatch(/"type"|session_id|is_error/)
          // There is room for enough of it.
          expect(row?.left).toBeGreaterThanOrEqual(0)
          expect(row?.width).toBeGreaterThan(200)
        }
      })
    )
})
