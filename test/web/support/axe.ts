/** Finds what keeps people from using a page, by the rules of axe. */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import type { Page } from "playwright-core"
import { act } from "./Browser.js"
import { Effect } from "effect"

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

interface Result {
  readonly id: string
  readonly nodes: ReadonlyArray<string>
}

/** The rules that are violated, and where. It is evaluated by the debugger, which the policy of the page does not stop. */
export const violations = (page: Page): Effect.Effect<ReadonlyArray<Result>> =>
  Effect.zipRight(
    act(() => page.evaluate(source)),
    act(() =>
      page.evaluate(async () => {
        const axe: {
          run: (root: Document) => Promise<{ violations: Array<{ id: string; nodes: Array<{ html: string }> }> }>
        } = Reflect.get(window, "axe")
        const { violations } = await axe.run(document)
        return violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html.slice(0, 200)) }))
      })
    )
  )
