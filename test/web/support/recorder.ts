/** Which events a tab passes on to the others of its browser, which are those that it has seen. */
import { Schema } from "effect"
import type { Page } from "playwright-core"
import manifest from "../../../package.json" with { type: "json" }
import { act } from "./Browser.js"

const channel = `charlotte.events.${manifest.version}`

declare global {
  interface Window {
    recorded?: Array<string>
  }
}

export const start = (page: Page) =>
  act(() =>
    page.evaluate((name) => {
      const recorded: Array<string> = []
      window.recorded = recorded
      new BroadcastChannel(name).addEventListener("message", ({ data }) => {
        if (data.type === "events") recorded.push(...data.lines)
      })
    }, channel)
  )

const Event = Schema.parseJson(Schema.Struct({ cursor: Schema.Int, jobId: Schema.String, type: Schema.String }))
export type Event = typeof Event.Type

/** In the order in which they came. */
export const read = async (page: Page): Promise<ReadonlyArray<Event>> => {
  const lines = await page.evaluate(() => window.recorded)
  if (lines === undefined) throw new Error("the page was loaded again")
  return lines.map((line) => Schema.decodeSync(Event)(line))
}
