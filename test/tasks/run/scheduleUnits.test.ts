import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { readFileSync } from "node:fs"
import { mkdir, rm } from "node:fs/promises"
import * as Repository from "../../support/Repository.js"
import { charlotte, litter, repository, run, show, task, unit } from "../Jobs.js"
import { type Config, doneTasks, pausing } from "./Scenes.js"

/** The first tasks of units that only depend on `core`: each waits until as many of them run as the concurrency allows. */
const together = ["left-1", "right-1", "doomed-1", "rival-1"]

const wait = (root: string) =>
  `touch '${root}/met/'$$\nwhile [ "$(ls '${root}/met' | wc -l)" -lt "$(cat '${root}/most')" ]; do sleep 0.02; done`

/** Records how many agents run concurrently, as seen by each agent. */
const witnessed = ({ root }: Repository.Sandbox, name: string, script: string): string =>
  [
    `touch '${root}/running/'$$`,
    `ls '${root}/running' | wc -l >> '${root}/agents'`,
    ...(together.includes(name) ? [wait(root)] : []),
    `sleep "$(cat '${root}/delays/${name}')"`,
    script,
    `rm '${root}/running/'$$`
  ].join("\n")

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

/** Tasks of a unit that each create a file, except those with their own script and gate. */
const tasks = (
  world: Repository.Sandbox,
  name: string,
  dependsOn: ReadonlyArray<ReadonlyArray<number>>,
  others: Record<number, readonly [script: string, gate: string]> = {}
) =>
  dependsOn.map((waitsFor, index) => {
    const number = index + 1
    const [script, gate] = others[number] ?? [
      `echo ${name} ${number} > ${name}-${number}.txt`,
      `test -e ${name}-${number}.txt`
    ]
    return [`${name}/0${number}-task.md`, task(number, witnessed(world, `${name}-${number}`, script), gate, waitsFor)]
  })

const example = (world: Repository.Sandbox): Record<string, string> =>
  Object.fromEntries([
    ["charlotte.yaml", "attempts: 2\nbaseline: ['test -e core-4.txt']\n"],
    ["core/IMPLEMENTATION_PLAN.md", unit()],
    ...tasks(world, "core", [[], [1], [1], [2, 3]], { 3: ["echo x >> tries.txt", "test $(wc -l < tries.txt) -eq 2"] }),
    ["left/IMPLEMENTATION_PLAN.md", unit(["core"])],
    ...tasks(world, "left", [[], [1], [2]], { 2: ["sed -i s/one/left/ a.txt", "grep -q left a.txt"] }),
    ["right/IMPLEMENTATION_PLAN.md", unit(["core"])],
    ...tasks(world, "right", [[], [], []], { 2: ["sed -i s/three/right/ a.txt", "grep -q right a.txt"] }),
    ["top/IMPLEMENTATION_PLAN.md", unit(["right", "left"])],
    ...tasks(world, "top", [[], [1], [2], [3]], { 4: ["cat left-3.txt right-3.txt > top.txt", "test -s top.txt"] }),
    ["doomed/IMPLEMENTATION_PLAN.md", unit(["core"])],
    ...tasks(world, "doomed", [[], [1], [2]], { 2: ["true", "echo it never passes; exit 7"] }),
    ["rival/IMPLEMENTATION_PLAN.md", unit(["core"])],
    ...tasks(world, "rival", [[], [1], [2]], { 2: ["sed -i s/one/rival/ a.txt", "grep -q rival a.txt"] }),
    ["waiting/IMPLEMENTATION_PLAN.md", unit(["doomed", "left"])],
    ...tasks(world, "waiting", [[]])
  ])

const counts = { core: 4, left: 3, right: 3, top: 4, doomed: 3, rival: 3, waiting: 1 }

/** Deterministic delays of up to 0.2 seconds for a seed. */
const delays = (seed: number) => {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed === 0 ? 0 : (state / 2_147_483_648) * 0.2
  }
}

const Merged = Schema.Struct({ commit: Schema.String, fastForward: Schema.Boolean })

/** Runs the example on its own branch, and returns everything of the outcome that must not depend on timing. */
const outcome = (
  world: Repository.Sandbox,
  { config, top }: { readonly config: Config; readonly top: string },
  { concurrency, seed }: { readonly concurrency: number; readonly seed: number }
) =>
  Effect.gen(function* () {
    const next = delays(seed)
    yield* Effect.promise(async () => {
      for (const directory of ["running", "met", "delays", "agents"])
        await rm(`${world.root}/${directory}`, { recursive: true, force: true })
      for (const directory of ["running", "met"]) await mkdir(`${world.root}/${directory}`)
    })
    yield* world.write(`${world.root}/most`, `${Math.min(concurrency, together.length)}`)
    for (const [name, count] of Object.entries(counts))
      for (const number of numbers(count)) yield* world.write(`${world.root}/delays/${name}-${number}`, `${next()}`)
    const targetBranch = `target-${concurrency}-${seed}`
    yield* world.git(top, "branch", targetBranch, "main")
    const ended = yield* run({ ...config, targetBranch, concurrency })

    const { id, types, work } = ended
    const tree = (revision: string) => Effect.map(world.git(top, "rev-parse", `${revision}^{tree}`), (t) => t.trim())
    const merged = ended.events.filter(({ type }) => type === "unit.merged")
    const merges = yield* Effect.forEach(merged, ({ payload, unit }) =>
      Effect.gen(function* () {
        const { commit, fastForward } = yield* Schema.decodeUnknown(Merged)(payload)
        return [unit, fastForward, yield* tree(commit)]
      })
    )
    return {
      ended,
      targetBranch,
      agents: Math.max(...readFileSync(`${world.root}/agents`, "utf8").trim().split("\n").map(Number)),
      fixed: {
        units: work.units.map(({ dependsOn, position, reason, state, unit }) => [
          position,
          unit,
          dependsOn,
          state,
          reason
        ]),
        tasks: work.tasks.map(({ calls, failures, state, task, unit }) => [unit, task, state, failures, calls]),
        // Which units wait to be merged depends on which was faster.
        events: Object.keys(counts).map((name) =>
          types.filter((type) => type.split(" ")[1] === name && !type.startsWith("unit.waiting"))
        ),
        merges,
        tree: yield* tree(`charlotte/${id}/result`),
        done: yield* doneTasks(world, top, `main..charlotte/${id}/result`)
      }
    }
  })

/** The log of the gate that failed. */
const failureLog = ({ work }: Effect.Effect.Success<ReturnType<typeof outcome>>["ended"]): string =>
  work.tasks.find(({ state }) => state === "failed")?.log ?? ""

describe("scheduleUnits", () => {
  it.scopedLive(
    "has the same result for any concurrency and any timing",
    () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top, untouched } = yield* repository(world, example(world))
        const job = (options: { readonly concurrency: number; readonly seed: number }) =>
          outcome(world, { config, top }, options)
        const [alone, two, six] = yield* Effect.gen(function* () {
          return [
            yield* job({ concurrency: 1, seed: 0 }),
            yield* job({ concurrency: 2, seed: 1843 }),
            yield* job({ concurrency: 6, seed: 77 })
          ] as const
        }).pipe(Effect.provide(charlotte(world)))

        expect(two.fixed).toEqual(alone.fixed)
        expect(six.fixed).toEqual(alone.fixed)
        expect([alone.agents, two.agents, six.agents]).toEqual([1, 2, 4])

        const { ended, fixed, targetBranch } = alone
        const conflict = "unit rival conflicts with the units merged before it in a.txt"
        const doomed = "task 2 (Task 2) failed 2 times: the gate exited with code 7: it never passes"
        expect(fixed.units).toEqual([
          [0, "core", [], "merged", undefined],
          [1, "doomed", ["core"], "failed", doomed],
          [2, "left", ["core"], "merged", undefined],
          [3, "right", ["core"], "merged", undefined],
          [4, "rival", ["core"], "failed", conflict],
          [5, "top", ["left", "right"], "merged", undefined],
          [6, "waiting", ["doomed", "left"], "blocked", undefined]
        ])
        const completed = (name: string, count: number) => numbers(count).map((n) => [name, n, "completed", 0, 1])
        expect(fixed.tasks).toEqual([
          ...completed("core", 2),
          ["core", 3, "completed", 1, 2],
          ["core", 4, "completed", 0, 1],
          ["doomed", 1, "completed", 0, 1],
          ["doomed", 2, "failed", 2, 2],
          ["doomed", 3, "pending", 0, 0],
          ...completed("left", 3),
          ...completed("right", 3),
          ...completed("rival", 3),
          ...completed("top", 4),
          ["waiting", 1, "pending", 0, 0]
        ])
        // A unit needs a merge unless the result is the commit at which it started.
        expect(fixed.merges.map(([name, fastForward]) => [name, fastForward])).toEqual([
          ["core", true],
          ["left", true],
          ["right", false],
          ["top", false]
        ])
        expect(fixed.done.toSorted()).toEqual(
          [["core", 4] as const, ["left", 3] as const, ["right", 3] as const, ["top", 4] as const].flatMap(
            ([name, count]) => numbers(count).map((number) => `${name} ${number}`)
          )
        )

        const log = failureLog(ended)
        expect(ended.run).toMatchObject({
          status: "failed",
          error: {
            kind: "failure",
            error: {
              _tag: "TasksFailed",
              branch: `charlotte/${ended.id}/result`,
              failures: [
                { unit: "doomed", task: 2, reason: doomed, log },
                { unit: "rival", reason: conflict }
              ],
              blocked: ["waiting"]
            }
          }
        })
        expect(readFileSync(log, "utf8")).toBe("it never passes\n")
        expect(ended.types.filter((type) => /^unit\.(failed|blocked)/.test(type)).toSorted()).toEqual([
          "unit.blocked waiting",
          "unit.failed doomed",
          "unit.failed rival"
        ])
        expect(yield* show(world, top, `charlotte/${ended.id}/result:top.txt`)).toBe("left 3\nright 3\n")
        expect(yield* show(world, top, `charlotte/${ended.id}/result:a.txt`)).toBe("left\ntwo\nright\n")
        // A failed job lands nothing.
        expect(yield* world.git(top, "rev-parse", targetBranch)).toBe(yield* world.git(top, "rev-parse", "main"))
        expect(yield* litter(world, top)).toEqual([])
        for (const { targetBranch } of [alone, two, six]) yield* world.git(top, "branch", "-D", targetBranch)
        yield* untouched
      }),
    300_000
  )

  it.scopedLive("blocks a unit between two attempts at a task, which is pending again", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, {
        "charlotte.yaml": "attempts: 1000\n",
        "a/IMPLEMENTATION_PLAN.md": unit(),
        "a/01-a.md": task(1, pausing(world, "sed -i s/one/a/ a.txt"), "grep -q a a.txt"),
        "b/IMPLEMENTATION_PLAN.md": unit(),
        "b/01-b.md": task(1, "sed -i s/one/b/ a.txt", "grep -q b a.txt"),
        "c/IMPLEMENTATION_PLAN.md": unit(["b"]),
        "c/01-c.md": task(1, "true", `touch '${world.root}/go'; sleep 0.2; exit 1`)
      })
      const { work } = yield* Effect.provide(run(config), charlotte(world))
      expect(work.units.map(({ state }) => state)).toEqual(["merged", "failed", "blocked"])
      expect(work.tasks.map(({ state }) => state)).toEqual(["completed", "completed", "pending"])
      expect(work.tasks[2]?.failures).toBeGreaterThan(0)
    })
  )
})
