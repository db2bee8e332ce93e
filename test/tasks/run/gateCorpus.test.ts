import { describe, expect, it } from "@effect/vitest"
import { Agents } from "charlotte/tasks"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import type { GateNote, TaskNote } from "../../../src/domain/Work.js"
import * as Repository from "../../support/Repository.js"
import { charlotte, run, task, unit } from "../Jobs.js"
import type { Case } from "./corpus/cases.js"
import * as honest from "./corpus/honest.js"
import { projects } from "./corpus/projects.js"
import { type Sign, suspicious } from "./corpus/suspicious.js"

const hasPython = spawnSync("python3", ["-c", "import unittest"]).status === 0

/** It runs the first fenced block of its prompt. */
const agent = new Agents.Profile({
  name: "reader",
  command: ["sh", "-c", "awk '/^```/ { if (on) exit; on = 1; next } on' | sh -e"],
  prompt: "stdin",
  env: []
})

/** Fails after the work without a turn, so that no case is merged with others. */
const stop = task(2, "true", "true", [1]).replace("---\n\n# ", "before: red\n---\n\n# ")

const fileOf = ({ before, gate, work }: Case): string =>
  task(1, work, gate).replace("---\n\n# ", `${before === undefined ? "" : `before: ${before}\n`}---\n\n# `)

/** Works on cases of one project in one job; returns their notes. */
const workOn = (
  world: Repository.Sandbox,
  cases: ReadonlyArray<Case>,
  { name, twice }: { name: string; twice: boolean }
) =>
  Effect.gen(function* () {
    const [first] = cases
    if (first === undefined) return []
    const top = `${world.root}/${name}`
    const files = {
      ...projects[first.project],
      "tasks/charlotte.yaml": `attempts: 1\n${twice ? "gates: { twice: true }\n" : ""}`,
      ...Object.fromEntries(
        cases.flatMap((one) => [
          [`tasks/${one.name}/IMPLEMENTATION_PLAN.md`, unit()],
          [`tasks/${one.name}/01-work.md`, fileOf(one)],
          [`tasks/${one.name}/02-stop.md`, stop]
        ])
      )
    }
    for (const [file, content] of Object.entries(files)) yield* world.write(`${top}/${file}`, content)
    yield* world.shell(top, "git init -q; git add .; git commit -qm first")
    const config = { repoPath: top, tasksDir: "tasks", targetBranch: "main", agent: "reader", concurrency: 4 }
    const { work } = yield* run(config)
    return cases.map(({ name }) => {
      const record = work.tasks.find(({ task, unit }) => unit === name && task === 1)
      return { name, state: record?.state, reason: record?.reason, notes: record?.notes ?? [] }
    })
  })

const projectNames = ["library", "command", "site", "module"] as const

const all = (cases: ReadonlyArray<Case>) =>
  Effect.gen(function* () {
    const world = yield* Repository.sandbox
    const jobs = projectNames.flatMap((project) =>
      [false, true].map((twice) =>
        workOn(
          world,
          cases.filter((one) => one.project === project && (one.twice ?? false) === twice),
          { name: `${project}-${twice}`, twice }
        )
      )
    )
    const layer = charlotte(world, { profiles: [agent], around: world.environment.variables })
    return (yield* Effect.provide(Effect.all(jobs), layer)).flat()
  })

/** What a note says about the gate; nothing if it needs no attention. */
const signs: { readonly [T in GateNote["_tag"]]: Sign | undefined } = {
  greenBefore: "before",
  couldNotRunBefore: "couldNotRun",
  unknownBefore: undefined,
  flaky: "flaky",
  checkChanged: "changed",
  protected: "changed",
  resolved: undefined,
  testsAdded: undefined,
  refsMoved: undefined
}

const signOf = (note: TaskNote): ReadonlyArray<Sign> => {
  if (typeof note === "string") return note.includes("beside files that git ignores") ? ["ignored"] : []
  const sign = signs[note._tag]
  return sign === undefined ? [] : [sign]
}

/** For what hangs, on a machine with much else to do. */
const limit = 1_200_000

describe("gates that prove nothing, or see half of a change", () => {
  it.scopedLive(
    "are noted, but for those that only a run without a part of the work can find",
    () =>
      Effect.gen(function* () {
        const found = yield* all(suspicious)
        expect(suspicious).toHaveLength(40)
        // A gate that gives two answers passes the first time, and fails the second time, which counts.
        const undone = found.filter(({ state }) => state !== "completed").map(({ name }) => name)
        expect(undone).toEqual(suspicious.filter(({ twice }) => twice).map(({ name }) => name))
        const seen = new Map(found.map(({ name, notes }) => [name, notes.flatMap(signOf)]))
        for (const { name, sign } of suspicious)
          expect([name, seen.get(name)]).toEqual([name, sign === "probe" ? [] : expect.arrayContaining([sign])])
        expect([...seen.values()].filter((signs) => signs.length > 0).length).toBeGreaterThanOrEqual(20)
      }),
    limit
  )
})

describe("honest work", () => {
  // A test that imports a file from elsewhere, and a snapshot of another output.
  const changesTests = ["refactor-moved", "snapshot-changed"]

  it("is of sixty tasks, most of which only add code and tests", () => {
    expect(honest.honest).toHaveLength(60)
    expect(honest.adding.length).toBeGreaterThanOrEqual(30)
    expect(honest.adding.filter(({ name }) => changesTests.includes(name))).toEqual([])
  })

  for (const project of projectNames)
    it.scopedLive.skipIf(project === "module" && !hasPython)(
      `gets a note only where it changes tests that were there: ${project}`,
      () =>
        Effect.gen(function* () {
          const cases = honest.honest.filter((one) => one.project === project)
          const found = yield* all(cases)
          expect(found.filter(({ state }) => state !== "completed")).toEqual([])
          const noted = found.flatMap(({ name, notes }) =>
            notes.flatMap(signOf).length === 0 ? [] : [{ name, notes }]
          )
          const expected = cases.filter(({ name }) => changesTests.includes(name))
          expect(noted).toEqual(
            expected.map(({ name }) => ({ name, notes: [expect.objectContaining({ _tag: "checkChanged" })] }))
          )
        }),
      limit
    )
})
