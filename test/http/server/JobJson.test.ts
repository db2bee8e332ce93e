import { describe, it } from "@effect/vitest"
import { Run, Work } from "charlotte"
import { JobsApi } from "charlotte/http"
import { Arbitrary, FastCheck as fc, Schema } from "effect"
import { expect } from "vitest"
import * as JobJson from "../../../src/http/server/JobJson.js"

const schema = Schema.encodeSync(JobsApi.Job)

/** As it goes over the wire. */
const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const phase = fc.constantFrom(undefined, "running" as const, "stopping" as const)

describe("a job that is encoded by hand", () => {
  it("is, byte for byte, what the contract makes of it", () => {
    fc.assert(
      fc.property(Arbitrary.make(Run.Run), phase, Arbitrary.make(Work.Work), (run, phase, { tasks, units }) => {
        const byHand = JobJson.encode(run, phase, new Work.Work({ units, tasks }))
        const byContract = schema(new JobsApi.Job({ ...run, phase, units, tasks }, { disableValidation: true }))
        expect(JSON.stringify(byHand)).toBe(JSON.stringify(byContract))
        expect(Schema.decodeUnknownSync(JobsApi.Job)(json(byHand))).toBeInstanceOf(JobsApi.Job)
      })
    )
  })

  it("has every field of the contract", () => {
    const [run] = fc.sample(Arbitrary.make(Run.Run), 1)
    const [unit] = fc.sample(Arbitrary.make(Work.UnitRecord), 1)
    const [task] = fc.sample(Arbitrary.make(Work.TaskRecord), 1)
    if (run === undefined || unit === undefined || task === undefined) throw new Error("there is no sample")
    const encoded = JobJson.encode(run, "running", new Work.Work({ units: [unit], tasks: [task] }))
    expect(Object.keys(encoded)).toEqual(Object.keys(JobsApi.Job.fields))
    expect(Object.keys(encoded.units[0] ?? {})).toEqual(Object.keys(Work.UnitRecord.fields))
    expect(Object.keys(encoded.tasks[0] ?? {})).toEqual(Object.keys(Work.TaskRecord.fields))
  })
})
