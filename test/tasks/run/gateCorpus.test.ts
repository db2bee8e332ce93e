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

const runnable = <C extends Case>(cases: ReadonlyArray<C>): ReadonlyArray<C> =>
  cases.filter(({ project }) => project !== "module" || hasPython)

/** It runs the first fenced block of its prompt. */
const agent = new Agents.Profile({
  name: "reader",
  command: ["sh", "-c", "awk '/^```/ { if (on) exit; on = 1; next } on' | sh -e"],
  prompt: "stdin",
  env: []
})

/** The task fails after the work, so that no case is merged with others. */
const stop = task(2, "true", "false", [1])

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

const all = (world: Repository.Sandbox, cases: ReadonlyArray<Case>) =>
  Effect.map(
    Effect.forEach(["library", "command", "site", "module"] as const, (project) =>
      Effect.forEach([false, true], (twice) =>
        workOn(
          world,
          cases.filter((one) => one.project === project && (one.twice ?? false) === twice),
          { name: `${project}-${twice}`, twice }
        )
      )
    ),
    (found) => found.flat(2)
  ).pipe(Effect.provide(charlotte(world, { profiles: [agent], around: world.environment.variables })))

/** What a note says about the gate; nothing if it needs no attention. */
const signs: { readonly [T in GateNote["_tag"]]: Sign | undefined } = {
  greenBefore: "before",
  couldNotRunBefore: "couldNotRun",
  unknownBefore: undefined,
  flaky: "flaky",
  checkChanged: "changed",
  protected: "changed",
  resolved: undefined,
  testsAdded: undefined
}

const signOf = (note: TaskNote): ReadonlyArray<Sign> => {
  if (typeof note === "string") return note.includes("beside files that git ignores") ? ["ignored"] : []
  const sign = signs[note._tag]
  return sign === undefined ? [] : [sign]
}

describe("gates that prove nothing, or see half of a change", () => {
  it.scopedLive("are noted, but for those that only a run without a part of the work can find", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const cases = runnable(suspicious)
      const found = yield* all(world, cases)
      expect(cases).toHaveLength(40)
      // A gate that gives two answers passes the first time, and fails the second time, which counts.
      const undone = found.filter(({ state }) => state !== "completed").map(({ name }) => name)
      expect(undone).toEqual(cases.filter(({ twice }) => twice).map(({ name }) => name))
      const seen = new Map(found.map(({ name, notes }) => [name, notes.flatMap(signOf)]))
      for (const { name, sign } of cases)
        expect([name, seen.get(name)]).toEqual([name, sign === "probe" ? [] : expect.arrayContaining([sign])])
      expect([...seen.values()].filter((signs) => signs.length > 0).length).toBeGreaterThanOrEqual(20)
    })
  )
})

describe("honest work", () => {
  it.scopedLive(
    "gets no note that its check was changed if it only adds code and tests, and hardly any otherwise",
    () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const cases = runnable(honest.honest)
        const found = yield* all(world, cases)
        expect(honest.honest).toHaveLength(60)
        expect(honest.adding.length).toBeGreaterThanOrEqual(30)
        expect(found.filter(({ state }) => state !== "completed")).toEqual([])
        const noted = found.flatMap(({ name, notes }) => {
          const signs = notes.flatMap(signOf)
          return signs.length === 0 ? [] : [{ name, signs }]
        })
        const adding = new Set(honest.adding.map(({ name }) => name))
        expect(noted.filter(({ name }) => adding.has(name))).toEqual([])
        // A test that imports a file from elsewhere, and a snapshot of another output.
        expect(noted.map(({ name }) => name).toSorted()).toEqual(["refactor-moved", "snapshot-changed"])
      })
  )
})
