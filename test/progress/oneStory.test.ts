/** The command and the page report the same events in the same words. */
import { describe, expect, it } from "@effect/vitest"
import { DateTime, FastCheck as fc, Option, Schema } from "effect"
import * as plainLines from "../../src/cli/run/plainLines.js"
import * as StyledLine from "../../src/cli/terminal/StyledLine.js"
import * as manager from "../../src/domain/events.js"
import { JobEvent } from "../../src/domain/JobEvent.js"
import { activity, failing } from "../../src/progress/activity.js"
import { applyEvent } from "../../src/progress/applyEvent.js"
import { eventText } from "../../src/progress/eventText.js"
import * as JobModel from "../../src/progress/JobModel.js"
import * as tasks from "../../src/tasks/events.js"
import { jobEvent } from "../../src/web/api/models.js"
import { jobId } from "../cli/run/scenario.js"
import { samples } from "./samples.js"

const payloads: { readonly [type: string]: Schema.Schema.AnyNoContext } = { ...manager.payloads, ...tasks.payloads }

const at = "2026-01-31T20:00:00.000Z"

describe("the lines of events", () => {
  it("are samples of every type, with valid payloads", () => {
    expect(samples.length).toBeGreaterThanOrEqual(40)
    expect(new Set(samples.map(({ type }) => type))).toEqual(new Set(Object.keys(payloads)))
    for (const { payload, type } of samples) {
      expect(() => Schema.decodeUnknownSync(payloads[type] ?? Schema.Void)(payload)).not.toThrow()
    }
  })

  it.each(samples)("are the same in `watch` and on the page: $type $payload", (sample) => {
    const json = { jobId, seq: 1, cursor: 1, at, ...sample }
    const onPage = jobEvent(json, "")
    const { log, text } = eventText(onPage)
    const inWatch = plainLines.line(Schema.decodeUnknownSync(JobEvent)(json), DateTime.zoneMakeLocal())
    const place = sample.unit === undefined ? "" : sample.task === undefined ? "api  " : "api 1  "
    const job = sample.type.startsWith("job.") ? `job ${jobId} ` : ""
    expect(StyledLine.paint(Option.getOrThrow(inWatch), false).slice("20:00:00 ".length)).toBe(
      `${job}${place}${text}${log === undefined ? "" : `; see ${log.file}`}`
    )
  })
})

describe("events with any payload", () => {
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom("permit", "api", 1, [], [{}], [{ tasks: [7] }], { file: "/l" })
  )
  const names = ["attempt", "reason", "log", "units", "waitsFor", "until", "signal", "processes", "error", "pause"]
  const payload = fc.oneof(value, fc.dictionary(fc.constantFrom(...names), value))
  const event = fc.record(
    {
      type: fc.constantFrom(...Object.keys(payloads), "counted", "__proto__", "toString"),
      payload,
      unit: fc.constantFrom("api", "__proto__"),
      task: fc.constantFrom(1, -1)
    },
    { requiredKeys: ["type"] }
  )

  it("neither fail the model nor the lines: an orchestrator may emit any JSON under any type", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), (events) => {
        const model = JobModel.make()
        events.forEach((event, index) => {
          const full = { ...event, seq: index + 1, at: index }
          expect(typeof eventText(full).text).toBe("string")
          applyEvent(model, full)
          failing(model)
          for (const unit of model.units.values()) activity(unit)
        })
        expect(model.seq).toBe(events.length)
      }),
      { numRuns: 1_000 }
    )
  })
})
