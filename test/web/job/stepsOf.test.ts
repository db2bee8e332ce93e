import { describe, expect, it } from "vitest"
import { ofEvents } from "../../../src/progress/applyEvent.js"
import { stepsOf } from "../../../src/web/job/stepsOf.js"
import { at, events } from "./events.js"

const recorded = (seq: number, name: string, jobId: string) => ({
  ...{ seq, name, jobId },
  ...{ attempt: 1, at: at(seq), millis: 5, ok: true }
})

const step = (second: number, name: string, ok = true) => [second, "job.step", { name, ok, millis: 7 }] as const

const namesOf = ({ steps }: ReturnType<typeof stepsOf>) => steps.map(({ name, of }) => [name, of])

describe("the steps of a job", () => {
  it("are those of its record until its events have arrived", () => {
    const { earlier, steps } = stepsOf(
      { id: "b", steps: [recorded(8, "pay", "a"), recorded(9, "ship", "b")] },
      ofEvents([])
    )
    expect(steps.map(({ name, of }) => [name, of])).toEqual([
      ["pay", "a"],
      ["ship", undefined]
    ])
    expect(earlier).toBe(7)
  })

  it("are those of its events, behind those of the jobs that it retries, each once and the newest last", () => {
    const model = ofEvents(
      events(
        [0, "job.started", { attempt: 1 }],
        step(1, "reserve"),
        step(2, "pay", false),
        [3, "job.started", { attempt: 2 }],
        step(4, "mail"),
        step(5, "pay")
      )
    )
    const found = stepsOf({ id: "b", steps: [recorded(3, "ask", "a"), recorded(4, "mail", "b")] }, model)
    expect(namesOf(found)).toEqual([
      ["ask", "a"],
      ["reserve", undefined],
      ["mail", undefined],
      ["pay", undefined]
    ])
    expect(found.steps.at(-1)).toMatchObject({ attempt: 2, at: at(5), millis: 7, ok: true })
    // Of the two before the record, the events know both.
    expect(found.earlier).toBe(0)
  })
})
