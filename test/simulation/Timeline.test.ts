/** Virtual time, as the clock of a real process shows it. */
import { expect, it } from "@effect/vitest"
import * as Timeline from "./Timeline.js"

it("virtual time goes in whole milliseconds, also for a timer of a fraction of one", () => {
  const timeline = Timeline.make(1_000)
  timeline.after(100.6, () => {})
  expect(timeline.leap()).toBe(true)
  expect(timeline.now()).toBe(1_101)
})
