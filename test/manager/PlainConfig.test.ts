import { describe, expect, it } from "@effect/vitest"
import { JobConfig } from "charlotte"
import { Either, FastCheck, Schema } from "effect"
import * as PlainConfig from "../../src/manager/PlainConfig.js"

const decode = Schema.decodeUnknownEither(JobConfig.JobConfig, { errors: "all", onExcessProperty: "error" })
const encode = Schema.encodeSync(JobConfig.JobConfig)

const text = FastCheck.oneof(FastCheck.constantFrom("/a", "tasks", "main", "", "\0", "/\0", "a\0"), FastCheck.string())
const anything = FastCheck.oneof(
  text,
  FastCheck.constantFrom(undefined, null, true, false, 0, -1, 1, 7, 1.5, NaN, Infinity, 2 ** 60, 1n, [], {}),
  FastCheck.anything()
)
const or = (right: FastCheck.Arbitrary<unknown>) =>
  FastCheck.oneof({ weight: 19, arbitrary: right }, { weight: 1, arbitrary: anything })

const fields = {
  repoPath: or(FastCheck.string().map((path) => `/${path}`)),
  tasksDir: or(text),
  targetBranch: or(text),
  concurrency: or(FastCheck.integer({ min: 1 })),
  dryRun: or(FastCheck.boolean()),
  land: or(FastCheck.boolean()),
  agent: or(text),
  labels: or(FastCheck.dictionary(FastCheck.string(), or(FastCheck.string())))
}
const uncommon = { retryOf: or(FastCheck.constant("01ARZ3NDEKTSV4RRFFQ69G5FAV")), other: anything }

const inputs = FastCheck.oneof(
  FastCheck.record(fields, { requiredKeys: ["repoPath", "tasksDir", "targetBranch"] }),
  FastCheck.record({ ...fields, ...uncommon }, { requiredKeys: [] }),
  anything
)

describe("a configuration that is decoded by hand", () => {
  it("is what the schema makes of it, or is left to the schema", () => {
    let taken = 0
    FastCheck.assert(
      FastCheck.property(inputs, (input) => {
        const plain = PlainConfig.decode(input)
        if (plain === undefined) return
        taken += 1
        const config = Either.getOrThrow(decode(input))
        expect(plain.config).toBeInstanceOf(JobConfig.JobConfig)
        expect(plain.config).toStrictEqual(config)
        expect(JSON.stringify(plain.encoded)).toBe(JSON.stringify(encode(config)))
      }),
      { numRuns: 5_000 }
    )
    expect(taken).toBeGreaterThan(100)
  })

  it("is each that says what most do", () => {
    const least = { repoPath: "/home/me/project", tasksDir: "tasks", targetBranch: "main" }
    const most = { ...least, concurrency: 2, dryRun: true, land: false, agent: "script", labels: { team: "web" } }
    for (const config of [least, most]) expect(PlainConfig.decode(config)?.encoded).toMatchObject(config)
  })

  it("does not share its labels with who submitted it", () => {
    const labels = { team: "web" }
    const decoded = PlainConfig.decode({ repoPath: "/a", tasksDir: "b", targetBranch: "c", labels })
    labels.team = "api"
    expect(decoded?.config.labels).toEqual({ team: "web" })
  })
})
