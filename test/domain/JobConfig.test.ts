import { describe, expect, it } from "@effect/vitest"
import { JobConfig } from "charlotte"
import { Either, ParseResult, Schema } from "effect"

const config = { repoPath: "/home/me/project", tasksDir: "tasks", targetBranch: "main" }

const decode = Schema.decodeUnknownEither(JobConfig.JobConfig, { errors: "all", onExcessProperty: "error" })

/** The first issue of each field; for an optional field, the schema adds one about `undefined`. */
const issues = (input: unknown): Record<string, string> =>
  Either.match(decode(input), {
    onRight: () => ({}),
    onLeft: (error) => {
      const said: Record<string, string> = {}
      for (const { message, path } of ParseResult.ArrayFormatter.formatErrorSync(error))
        said[path.join(".")] ??= message
      return said
    }
  })

describe("JobConfig", () => {
  it("applies defaults", () => {
    expect({ ...Either.getOrThrow(decode(config)) }).toEqual({ ...config, concurrency: 4, dryRun: false, land: true })
  })

  it("accepts all fields", () => {
    const full = { ...config, concurrency: 1, dryRun: true, land: false, agent: "script", labels: { team: "web" } }
    expect({ ...Either.getOrThrow(decode(full)) }).toEqual(full)
    expect(Schema.encodeSync(JobConfig.JobConfig)(Either.getOrThrow(decode(full)))).toEqual(full)
  })

  it("accepts a word for what lands", () => {
    for (const land of ["auto", "done", "never", true, false])
      expect(Either.getOrThrow(decode({ ...config, land })).land).toBe(land)
  })

  it("reports every invalid field", () => {
    const wrong = {
      repoPath: "project",
      tasksDir: "",
      targetBranch: "main\0",
      concurrency: 0,
      dryRun: 1,
      land: "no",
      agent: "",
      labels: { team: 1, size: null },
      colour: "red"
    }
    expect(issues(wrong)).toMatchObject({
      repoPath: "must be an absolute path",
      tasksDir: "must not be empty",
      targetBranch: "must not contain a NUL character",
      concurrency: "must be a whole number, 1 or more",
      dryRun: "Expected boolean, actual 1",
      land: "must be true, false, auto, done, ask, pull-request or never",
      agent: "must not be empty",
      "labels.team": "Expected string, actual 1",
      "labels.size": "Expected string, actual null",
      colour: expect.stringContaining("is unexpected")
    })
  })

  it("reports every missing field", () => {
    const missing = "is missing"
    expect(issues({})).toEqual({ repoPath: missing, tasksDir: missing, targetBranch: missing })
  })

  it("rejects a concurrency other than a positive integer", () => {
    for (const concurrency of [-1, 0, 0.5, 1.5, NaN, Infinity, "4", null]) {
      expect(Object.keys(issues({ ...config, concurrency }))).toEqual(["concurrency"])
    }
  })

  it("rejects anything but an object", () => {
    for (const input of [undefined, null, "x", 1, []]) expect(Object.keys(issues(input))).toEqual([""])
  })
})
