import { describe, expect, it } from "@effect/vitest"
import { JobConfig } from "charlotte"
import { Either, ParseResult, Schema } from "effect"

const config = { repoPath: "/home/me/project", tasksDir: "tasks", targetBranch: "main" }

const decode = Schema.decodeUnknownEither(JobConfig.JobConfig, { errors: "all", onExcessProperty: "error" })

/** What is said of each field, first of all: of one that may be left out it is also said that it is not. */
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
  it("fills in what is left out", () => {
    expect({ ...Either.getOrThrow(decode(config)) }).toEqual({ ...config, concurrency: 4, dryRun: false, land: true })
  })

  it("takes everything", () => {
    const full = { ...config, concurrency: 1, dryRun: true, land: false, agent: "script", labels: { team: "web" } }
    expect({ ...Either.getOrThrow(decode(full)) }).toEqual(full)
    expect(Schema.encodeSync(JobConfig.JobConfig)(Either.getOrThrow(decode(full)))).toEqual(full)
  })

  it("names every wrong field at once", () => {
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
      land: 'Expected boolean, actual "no"',
      agent: "must not be empty",
      "labels.team": "Expected string, actual 1",
      "labels.size": "Expected string, actual null",
      colour: expect.stringContaining("is unexpected")
    })
  })

  it("names every missing field at once", () => {
    const missing = "is missing"
    expect(issues({})).toEqual({ repoPath: missing, tasksDir: missing, targetBranch: missing })
  })

  it("takes no other number than a whole one, 1 or more, for units in parallel", () => {
    for (const concurrency of [-1, 0, 0.5, 1.5, NaN, Infinity, "4", null]) {
      expect(Object.keys(issues({ ...config, concurrency }))).toEqual(["concurrency"])
    }
  })

  it("takes nothing but an object", () => {
    for (const input of [undefined, null, "x", 1, []]) expect(Object.keys(issues(input))).toEqual([""])
  })
})
