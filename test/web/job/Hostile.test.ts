import { expect, layer } from "@effect/vitest"
import { Step } from "charlotte/testing"
import { Effect } from "effect"
import type { Page } from "playwright-core"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { act, layer as browser } from "../support/Browser.js"
import * as World from "../support/World.js"
import { config, emitAll, makeTask, planned } from "./story.js"

const hostile = `"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>{{7*7}}`

/** Would be read from right to left. */
const reversed = "safe\u202egnp.exe"

/** Nothing of it became an element, and nothing has run. */
const untouched = (page: Page) =>
  Effect.gen(function* () {
    const found = yield* act(() =>
      page.evaluate(() => ({
        elements: document.querySelectorAll("main img, main script, main iframe, main a[href^='javascript']").length,
        pwned: Reflect.get(window, "pwned")
      }))
    )
    expect(found).toEqual({ elements: 0, pwned: undefined })
  })

const seen = (page: Page, text: string, inside = "main") =>
  act(() => page.locator(inside).getByText(text).first().waitFor())

layer(browser, { excludeTestServices: true })("hostile text in the view of a job", (it) => {
  it.scoped("is shown literally: titles, labels, plans, reasons, notes, events and logs", () =>
    Effect.gen(function* () {
      const logs = yield* TemporaryDirectory.make
      const world = yield* World.make({ server: { logs } })
      const { agent, agentEnded, begin, done, failed, gate } = makeTask(logs)
      const labels = { title: hostile, [hostile]: reversed }
      const id = yield* world.client.start(config({ labels, tasksDir: hostile, targetBranch: hostile }))
      const unit = hostile.slice(0, 60)
      const text = `${hostile}\n\u001b]8;;javascript:alert(1)\u0007link\u001b]8;;\u0007 ${reversed}\n\u001b[31mred\u001b[0m`
      yield* world.script.send(
        id,
        ...emitAll([
          planned([
            { id: unit, tasks: [hostile, "second"] },
            { id: "__proto__", dependsOn: [unit, "constructor"], tasks: ["x"] }
          ]),
          begin(unit),
          ...agent(unit, 1, 1, hostile, text),
          agentEnded(unit, 1, 1),
          ...done(unit, 1, 1),
          { type: "task.noted", unit, task: 1, payload: { note: hostile } },
          ...agent(unit, 2, 1, "second", "x"),
          agentEnded(unit, 2, 1),
          ...gate(unit, 2, 1, text, hostile),
          ...failed(unit, 2, 1, `${hostile}\n${reversed}`),
          { type: hostile, payload: { [hostile]: [hostile, reversed] } }
        ])
      )
      const { page, problems } = yield* world.open(`/jobs/${id}`)
      yield* seen(page, hostile, "h1")
      yield* seen(page, `${hostile}=safe‹U+202E›gnp.exe`, ".job-facts")
      yield* seen(page, hostile, ".messages")
      yield* seen(page, hostile, ".log-rows")
      yield* seen(page, "link safe‹U+202E›gnp.exe", ".log-rows")
      yield* seen(page, unit, ".task-rows")
      yield* act(() => page.keyboard.press("2"))
      yield* seen(page, unit, ".node")
      yield* untouched(page)
      yield* act(() =>
        page
          .getByRole("button", { name: /^1 ".*done|completed/ })
          .first()
          .click()
      )
      yield* seen(page, `! ${hostile}`, ".job-side")
      for (const [key, root] of [
        ["3", ".timeline-rows"],
        ["4", ".event-rows"],
        ["5", ".details"]
      ] as const) {
        yield* act(() => page.keyboard.press(key))
        yield* seen(page, unit, root)
        yield* untouched(page)
      }
      yield* act(() => page.keyboard.press("4"))
      yield* act(() => page.getByRole("listbox", { name: "Events" }).focus())
      yield* act(() => page.keyboard.press("End"))
      yield* seen(page, `${hostile}: `, ".event-details")
      yield* seen(page, '"safe‹U+202E›gnp.exe"', ".event-details")
      yield* untouched(page)
      expect(problems).toEqual([])
    })
  )

  it.scoped("is shown literally where a job has failed: the error, its cause and the result", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const id = yield* world.client.start(config())
      yield* world.script.send(id, Step.fail({ _tag: "Hostile", message: hostile, [hostile]: reversed }))
      const { page, problems } = yield* world.open(`/jobs/${id}?view=details`)
      yield* seen(page, hostile, ".messages")
      yield* seen(page, "<script>window.pwned=1</script>", ".cause")
      yield* seen(page, `${hostile}: `, ".details")
      yield* untouched(page)
      expect(problems).toEqual([])
    })
  )

  it.scoped("takes addresses of other jobs, units and views that do not exist", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const id = yield* world.client.start(config())
      const address = `/jobs/${id}?unit=${encodeURIComponent(hostile)}&task=-1&attempt=1e9&log=__proto__&view=constructor`
      const { page, problems } = yield* world.open(address)
      yield* act(() => page.getByRole("listbox", { name: "Events" }).waitFor())
      yield* act(() => page.goto(page.url().replace(/jobs\/.*/, "jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV")))
      yield* act(() => page.getByRole("heading", { name: "This job cannot be shown" }).waitFor())
      yield* untouched(page)
      expect(problems).toEqual([])
    })
  )
})
