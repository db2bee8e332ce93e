import { describe, expect, it } from "vitest"
import { parse, toDiff, toJob, toJobs } from "../../src/web/router.js"

const id = "01ARZ3NDEKTSV4RRFFQ69G5FAV"

describe("the addresses of the page", () => {
  it.each([
    ["/", "jobs"],
    ["/jobs", "jobs"],
    ["/jobs?status=failed", "jobs"],
    [`/jobs/${id}`, "job"],
    [`/jobs/${id}/diff`, "diff"],
    ["/system", "system"],
    ["/jobs/unknown", "unknown"],
    [`/jobs/${id}/diff/more`, "unknown"],
    ["/elsewhere", "unknown"]
  ])("%s shows the view %s", (address, view) => {
    expect(parse(address).view).toBe(view)
  })

  it("bring back what they were made of", () => {
    const route = parse(toJob(id, { unit: "a & b", task: 3 }))
    expect(route).toMatchObject({ view: "job", id })
    expect(Object.fromEntries(route.query)).toEqual({ unit: "a & b", task: "3" })
    expect(parse(toDiff(id, { unit: "x" }))).toMatchObject({ view: "diff", id })
    expect(toJobs({ status: undefined })).toBe("/jobs")
  })
})
