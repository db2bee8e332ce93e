/** Finds what keeps people from using a page, by the rules of axe. */
import axe from "axe-core"
import { Effect } from "effect"
import type { Page } from "playwright-core"
import { act } from "./Browser.js"

interface Result {
  readonly id: string
  readonly nodes: ReadonlyArray<string>
}

/** The rules that are violated, and where. It is evaluated by the debugger, which the policy of the page does not stop. */
export const violations = (page: Page): Effect.Effect<ReadonlyArray<Result>> =>
  Effect.zipRight(
    act(() => page.evaluate(axe.source)),
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
