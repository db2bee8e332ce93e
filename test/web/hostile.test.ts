/** Titles, labels and events as an attacker would have them: they are shown as they are, and none of them does anything. */
import { expect, layer } from "@effect/vitest"
import { Step } from "charlotte/testing"
import { Effect } from "effect"
import type { Page } from "playwright-core"
import { act, layer as browser } from "./support/Browser.js"
import { places } from "./support/places.js"

const markup = '<img src=x onerror="window.pwned=1">'
const script = "</span><script>window.pwned=1</script>"
const reversed = "safe\u202egnp.exe"

/** What must not have come of it. */
const harm = (page: Page) =>
  act(() =>
    page.evaluate(() => ({
      pwned: "pwned" in window,
      elements: document.querySelectorAll(
        "img, iframe, object, embed, base, [onerror], [style], script:not([type=module])"
      ).length,
      links: [...document.links].map(({ protocol }) => protocol).filter((protocol) => protocol !== "http:")
    }))
  )

const none = { pwned: false, elements: 0, links: [] }

for (const place of places) {
  layer(browser, { excludeTestServices: true })(`hostile text ${place.name}`, (it) => {
    it.scoped("in titles, labels, events, errors and reasons is shown literally in the list of jobs", () =>
      Effect.gen(function* () {
        const world = yield* place.make()
        const config = (tasksDir: string, labels = {}) => ({
          repoPath: `/home/${script}`,
          tasksDir,
          targetBranch: "main",
          labels
        })
        const running = yield* world.start(config(markup, { [markup]: "javascript:window.pwned=1" }))
        const failed = yield* world.start(config("fails"))
        const parked = yield* world.start(config(reversed))
        const { page, problems } = yield* world.open()
        const cell = (id: string, name: string) => page.locator(`tr[data-job="${id}"] .cell-${name}`)

        yield* act(() => cell(running, "title").getByText(`: ${markup}`).waitFor())
        yield* act(() => cell(running, "title").getByText(`${markup}=javascript:window.pwned=1`).waitFor())
        // The directories of the path are those of the mark-up.
        expect(yield* act(() => cell(running, "title").locator("a").getAttribute("title"))).toBe(`/home/${script}`)
        // A mark that reverses text is shown by its number.
        yield* act(() => cell(parked, "title").getByText("safe‹U+202E›gnp.exe").waitFor())

        yield* world.script.send(running, Step.emit({ type: script, payload: { text: markup } }))
        yield* act(() => cell(running, "line").getByText(script).waitFor())
        yield* world.script.send(
          running,
          Step.emit({ type: "task.started", unit: markup, task: 1, payload: { title: script } })
        )
        yield* act(() => cell(running, "line").getByText(`${markup} 1 · ${script}`).waitFor())
        yield* world.script.send(failed, Step.fail({ message: `${script}${markup}` }))
        yield* act(() => cell(failed, "line").getByText(`${script}${markup}`).waitFor())
        yield* world.script.send(parked, Step.park({ reason: markup, signal: "approve" }))
        yield* act(() => cell(parked, "line").getByText(markup).waitFor())

        // The question before a stop names the job as well.
        yield* act(() => cell(running, "select").getByRole("checkbox").click())
        yield* act(() => page.getByRole("button", { name: "Stop 1" }).click())
        yield* act(() => page.getByRole("dialog").getByText(markup, { exact: false }).waitFor())
        expect(yield* harm(page)).toEqual(none)
        expect(problems).toEqual([])
      })
    )

    it.scoped("in the address is a filter, and nothing else", () =>
      Effect.gen(function* () {
        const world = yield* place.make()
        const { page, problems } = yield* world.open(
          `/jobs?q=${encodeURIComponent(markup)}&label=${encodeURIComponent(script)}`
        )
        yield* act(() => page.getByText("No job matches").waitFor())
        expect(yield* act(() => page.getByLabel("Search").inputValue())).toBe(markup)
        expect(yield* harm(page)).toEqual(none)
        expect(problems).toEqual([])
      })
    )

    it.scoped("would be stopped by the security policy, if it were put into the page as markup", () =>
      Effect.gen(function* () {
        const world = yield* place.make()
        const { page } = yield* world.open()
        yield* act(() => page.getByText("No jobs yet").waitFor())
        const refused = yield* act(() =>
          page.evaluate((markup) => {
            try {
              Reflect.set(document.body, "innerHTML", markup)
              return "taken"
            } catch (error) {
              return error instanceof Error ? error.name : "?"
            }
          }, markup)
        )
        expect(refused).toBe("TypeError")
      })
    )
  })
}
