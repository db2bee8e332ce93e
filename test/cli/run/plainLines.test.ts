import { describe, expect, it } from "@effect/vitest"
import { DateTime, FastCheck as fc, Option } from "effect"
import * as StyledLine from "../../../src/cli/terminal/StyledLine.js"
import * as plainLines from "../../../src/cli/run/plainLines.js"
import { payloads } from "../../../src/tasks/events.js"
import { forbidden, hostile } from "../hostile.js"
import { commit, events, type Step, steps, waiting } from "./scenario.js"

const utc = DateTime.zoneUnsafeMakeNamed("UTC")

const text = (list: ReadonlyArray<Step>) =>
  events(list).flatMap((event) =>
    Option.match(plainLines.line(event, utc), { onNone: () => [], onSome: (line) => [StyledLine.paint(line, false)] })
  )

describe("plain lines of a job", () => {
  it("report every change, one line each", () => {
    expect(text(steps("/logs/gate.log")).join("\n")).toBe(`12:00:00 job 01ARZ3NDEKTSV4RRFFQ69G5FAV started
12:00:00 3 units, 5 tasks for main, agent claude
12:00:00 silk  unit started
12:00:00 words  unit started
12:00:01 silk  setup: npm ci
12:00:02 silk 1  Spin the spokes
12:00:02 silk 1  agent claude started
12:00:05 silk 1  agent done
12:00:05 silk 1  gate: npm test
12:00:06 silk 1  gate passed
12:00:02 words 2  Choose the word of the day
12:00:02 words 2  agent claude started
12:00:05 words 2  agent done
12:00:05 words 2  gate: npm test
12:00:06 words 2  gate passed
12:00:06 silk 1  committed 1a2b3c4d
12:00:06 silk 1  done, commit 1a2b3c4d
12:00:07 words 2  committed 1a2b3c4d
12:00:07 words 2  done, commit 1a2b3c4d
12:00:07 words 2  note: the agent changed tasks/words/02-choose.md: plan files were restored
12:00:07 words  all tasks done
12:00:08 silk 2  Lay the rings of the web, from the rim inwards
12:00:08 silk 2  agent claude started
12:00:11 silk 2  agent done
12:00:11 silk 2  gate: npm test
12:00:12 silk 2  gate failed: ended with exit code 1; see /logs/gate.log
12:00:12 silk 2  retry in 1 s: ended with exit code 1
12:00:13 silk 2  Lay the rings of the web, from the rim inwards (attempt 2)
12:00:13 silk 2  agent claude started
12:00:16 silk 2  agent done
12:00:16 silk 2  gate: npm test
12:00:17 silk 2  gate failed: ended with exit code 1; see /logs/gate.log
12:00:17 silk 2  failed after 2 attempts: ended with exit code 1
12:00:17 silk  unit failed: task 2 (Lay the rings of the web, from the rim inwards) failed 2 times: ended with exit code 1
12:00:18 words  verifying the merged result: npm test
12:00:20 words  merged, commit 1a2b3c4d
12:00:20 barn  blocked by silk
12:00:21 job 01ARZ3NDEKTSV4RRFFQ69G5FAV failed`)
  })

  it("report for what a job waits", () => {
    const job = "job 01ARZ3NDEKTSV4RRFFQ69G5FAV"
    expect(text(waiting)).toEqual([
      `12:00:00 ${job} queued: waits for a permit`,
      `12:01:00 ${job} started`,
      "12:01:00 3 units, 5 tasks for main, agent claude",
      "12:01:00 silk  unit started",
      `12:01:10 ${job} parked for the signal go-on or until 2025-01-01 14:01:10: the usage limit is reached`,
      `12:01:20 ${job} signal go-on from Ada`,
      `12:01:21 ${job} resumed (attempt 2)`
    ])
    const queued = (payload: unknown) => text([{ at: 0, type: "job.queued", payload }])
    expect(queued({ waitsFor: "time", startAt: "2025-01-01T22:00:00Z" })).toEqual([
      `12:00:00 ${job} queued: waits until 2025-01-01 22:00:00`
    ])
    expect(queued({ waitsFor: "key" })).toEqual([`12:00:00 ${job} queued: waits for its key`])
    // Of another version.
    expect(queued({ waitsFor: "the moon" })).toEqual([`12:00:00 ${job} queued: waits for the moon`])
  })

  it("report all other events", () => {
    expect(
      text([
        { at: 0, type: "job.resumed" },
        {
          at: 0,
          type: "unit.setup.failed",
          unit: "a",
          payload: { command: "npm ci", attempt: 1, reason: "ended with exit code 1" }
        },
        { at: 0, type: "unit.setup.started", unit: "a", payload: { command: "npm ci", attempt: 2 } },
        {
          at: 0,
          type: "task.agent.slow",
          unit: "a",
          task: 1,
          payload: { reason: "printed nothing for 16m, and is ended after 20m" }
        },
        {
          at: 0,
          type: "unit.waiting",
          unit: "a",
          payload: { reason: "claude is at its usage limit", until: "2025-01-01T13:00:00.000Z" }
        },
        { at: 0, type: "job.parked", payload: { reason: "claude is not logged in", signal: "charlotte.resume" } },
        {
          at: 0,
          type: "task.agent.ended",
          unit: "a",
          task: 1,
          payload: { reason: "was silent", log: { file: "/l", from: 0, to: 0 } }
        },
        { at: 0, type: "task.retry", unit: "a", task: 1, payload: { attempt: 1, reason: "no", pause: 0 } },
        { at: 0, type: "orch.landing", payload: { target: "main", attempt: 2 } },
        { at: 0, type: "orch.landed", payload: { target: "main", commit } },
        { at: 0, type: "job.stopping" },
        { at: 0, type: "job.interrupted" },
        { at: 0, type: "something.else", payload: { x: 1 } }
      ])
    ).toEqual([
      "12:00:00 job 01ARZ3NDEKTSV4RRFFQ69G5FAV resumed",
      "12:00:00 a  setup failed: ended with exit code 1",
      "12:00:00 a  setup (attempt 2): npm ci",
      "12:00:00 a 1  slow: the agent printed nothing for 16m, and is ended after 20m",
      "12:00:00 a  waiting: claude is at its usage limit; until 2025-01-01 13:00:00",
      "12:00:00 job 01ARZ3NDEKTSV4RRFFQ69G5FAV parked until it is resumed: claude is not logged in",
      "12:00:00 a 1  agent failed: was silent; see /l",
      "12:00:00 a 1  retry: no",
      "12:00:00 landing on main (attempt 2)",
      "12:00:00 landed on main, commit 1a2b3c4d",
      "12:00:00 job 01ARZ3NDEKTSV4RRFFQ69G5FAV stop requested",
      "12:00:00 job 01ARZ3NDEKTSV4RRFFQ69G5FAV interrupted by a shutdown"
    ])
  })

  it("use the local time zone", () => {
    const [event] = events([{ at: 0, type: "job.started" }])
    const line = Option.flatMap(Option.fromNullable(event), (event) =>
      plainLines.line(event, DateTime.zoneUnsafeMakeNamed("Asia/Tokyo"))
    )
    expect(StyledLine.paint(Option.getOrThrow(line), false)).toMatch(/^21:00:00 /)
  })

  it("are single lines without control sequences, whatever the events contain", () => {
    const payload = hostile.map((text) => ({
      reason: text,
      title: text,
      command: text,
      note: text,
      commit: text,
      target: text,
      agent: text,
      waitsFor: [text],
      attempt: 1,
      attempts: 2,
      pause: 10,
      fastForward: true,
      units: [],
      base: text,
      branch: text,
      concurrency: 1,
      log: { file: text, from: 0, to: 0 }
    }))
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(payloads)), hostile, payload, (type, unit, payload) => {
        for (const line of text([{ at: 0, type, unit, task: 1, payload }])) {
          expect(line).not.toMatch(forbidden)
          expect(line).not.toContain("\n")
        }
      }),
      { numRuns: 1_000 }
    )
  })
})
