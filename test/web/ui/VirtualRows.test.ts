import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Locator } from "playwright-core"
import { openLargeJob } from "../job/openLargeJob.js"
import { violations } from "../support/axe.js"
import { act, layer as browser } from "../support/Browser.js"

const large = Effect.gen(function* () {
  const { page, problems } = yield* openLargeJob
  yield* act(() => page.keyboard.press("4"))
  yield* act(() => page.getByText("434 events").waitFor())
  return { page, problems }
})

/** The text of the row that a list names as the active one, its place for assistive technology, and whether it is in sight. */
const active = (rows: Locator) =>
  act(() =>
    rows.evaluate((box) => {
      const row = document.getElementById(box.getAttribute("aria-activedescendant") ?? "")
      if (row === null) return undefined
      const [outer, inner] = [box.getBoundingClientRect(), row.getBoundingClientRect()]
      const place = [row.ariaLevel, row.ariaPosInSet, row.ariaSetSize]
      return { text: row.textContent, place, isInSight: inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1 }
    })
  )

const scrollTo = (rows: Locator, end: "top" | "bottom") =>
  Effect.zipRight(
    act(() => rows.evaluate((box, end) => box.scrollTo(0, end === "top" ? 0 : box.scrollHeight), end)),
    // The rows in sight are drawn once the page has taken notice.
    act(() => rows.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))))
  )

layer(browser, { excludeTestServices: true })("rows of which only those in sight are in the document", (it) => {
  const lists = [
    { name: "timeline", key: "3", role: "tree", place: ["1", "2", "65"] },
    { name: "events", key: "4", role: "listbox", place: [null, "2", "434"] }
  ] as const
  for (const { key, name, place, role } of lists) {
    it.scoped(`keep the active row in the document when it is scrolled out of sight, and return to it: ${name}`, () =>
      Effect.gen(function* () {
        const { page, problems } = yield* large
        yield* act(() => page.keyboard.press(key))
        const rows = page.getByRole(role)
        yield* act(() => rows.focus())
        yield* act(() => page.keyboard.press("Home"))
        yield* act(() => page.keyboard.press("ArrowDown"))
        const second = yield* active(rows)
        expect(second).toEqual({ text: expect.any(String), place, isInSight: true })
        yield* scrollTo(rows, "bottom")
        expect(yield* active(rows)).toEqual({ text: second?.text, place, isInSight: false })
        expect(yield* violations(page)).toEqual([])
        yield* act(() => page.keyboard.press("ArrowUp"))
        const first = yield* active(rows)
        expect(first).toMatchObject({ place: [place[0], "1", place[2]], isInSight: true })
        expect(first?.text).not.toBe(second?.text)
        expect(problems).toEqual([])
      })
    )
  }
})
