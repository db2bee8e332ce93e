/** The decoders of the page are written by hand: whatever the schemas of the contract encode, they read. */
import { Arbitrary, FastCheck, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { Job, JobPage, ListedJob } from "../../../src/http/contract/Api.js"
import { JobEvent } from "../../../src/domain/JobEvent.js"
import { StopReport } from "../../../src/domain/StopReport.js"
import { AgentStatus, System } from "../../../src/http/contract/System.js"
import { array, DecodeError, type Decoder } from "../../../src/web/api/decode.js"
import { Schedule } from "../../../src/domain/Schedule.js"
import * as models from "../../../src/web/api/models.js"
import * as schedules from "../../../src/web/api/schedules.js"
import * as system from "../../../src/web/api/system.js"

/** Times of both sides as numbers, and what is missing as missing. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, part: unknown) =>
      typeof part === "string" && /^[+-]?\d{4,6}-\d\d-\d\dT[\d:.]+Z$/.test(part) ? Date.parse(part) : part
    )
  )

/** JSON has no other numbers. */
const finite = (_: string, part: unknown): unknown => (typeof part === "number" && !Number.isFinite(part) ? 0 : part)

const agrees = <A, I>(schema: Schema.Schema<A, I>, decoder: Decoder<unknown>): void => {
  const encode = Schema.encodeSync(schema)
  FastCheck.assert(
    FastCheck.property(Arbitrary.make(schema), (value) => {
      const wire: unknown = JSON.parse(JSON.stringify(encode(value), finite))
      // What the page has no use for, it leaves out.
      expect(plain(wire)).toMatchObject(Object(plain(decoder(wire, ""))))
    }),
    { numRuns: 50 }
  )
}

describe("the decoders of the page", () => {
  it("read every job, page of jobs and event that the server encodes", () => {
    agrees(ListedJob, models.listedJob)
    agrees(JobPage, models.jobPage)
    agrees(Job, models.job)
    agrees(JobEvent, models.jobEvent)
    agrees(StopReport, models.stopReport)
  })

  it("read every state of the system, its agents and its schedules", () => {
    agrees(System, system.system)
    agrees(Schema.Array(AgentStatus), array(system.agent))
    agrees(Schema.Array(Schedule), array(schedules.schedule))
  })

  it("name the field that is not what the contract says", () => {
    const [job] = FastCheck.sample(Arbitrary.make(ListedJob), 1).map((job) => Schema.encodeSync(ListedJob)(job))
    expect(() => models.jobPage({ jobs: [{ ...job, status: "lost" }] }, "")).toThrow(DecodeError)
    expect(() => models.jobPage({ jobs: [{ ...job, status: "lost" }] }, "")).toThrow(
      /^jobs\[0\]\.status is "lost": expected one of /
    )
  })
})
