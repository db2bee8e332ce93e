/** Random plans as jobs, with git and an agent: at any speed and over kills they have the same result. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { existsSync, readdirSync } from "node:fs"
import { mkdir, rm } from "node:fs/promises"
import { isLong } from "../../support/long.js"
import type * as Repository from "../../support/Repository.js"
import { ended, repository, run, task, unit } from "../Jobs.js"
import * as Life from "./Life.js"
import { resolver } from "./Resolver.js"
import { counted } from "./Scenes.js"
import * as Witness from "./Witness.js"
import { type World, worlds } from "./Worlds.js"

const fileOf = (pair: string): string => `pair-${pair.replace(" ", "-")}.txt`

/** Each unit creates a file of its name; units in conflict create one more in common, and where a gate is red, it sees both units. */
const files = ({ conflicts, doomed, red, units }: World, { root }: Repository.Sandbox) =>
  Object.fromEntries([
    ["charlotte.yaml", "attempts: 1\nconflicts: agent\n"],
    ...units.flatMap(({ dependsOn, id }) => {
      const of = (pairs: Iterable<string>) => [...pairs].filter((pair) => pair.split(" ").includes(id))
      const script = [
        `touch '${root}/begun/${id}'`,
        `sleep "$(cat '${root}/delays/${id}')"`,
        `echo ${id} > ${id}.txt`,
        ...of(conflicts.keys()).map((pair) => `echo ${id} > ${fileOf(pair)}`)
      ]
      const gate = [
        doomed.has(id) ? "false" : `test -e ${id}.txt`,
        ...of(red).map(
          (pair) =>
            `! { ${pair
              .split(" ")
              .map((other) => `test -e ${other}.txt`)
              .join(" && ")}; }`
        )
      ]
      return [
        [`${id}/IMPLEMENTATION_PLAN.md`, unit(dependsOn)],
        [`${id}/01-${id}.md`, task(1, script.join("\n"), gate.join(" && "))]
      ]
    })
  ])

/** Keeps the lines of both sides, and leaves the conflicts that cannot be resolved. */
const resolve = ({ conflicts }: World) =>
  [...conflicts]
    .filter(([, isResolvable]) => isResolvable)
    .map(
      ([pair]) =>
        `test ! -e ${fileOf(pair)} || sed -i -e '/^<<<<<<< /d' -e '/^=======$/d' -e '/^>>>>>>> /d' ${fileOf(pair)}`
    )
    .join("\n")

const outcome = (one: Repository.Sandbox, top: string, { id, work }: Effect.Effect.Success<ReturnType<typeof ended>>) =>
  Effect.gen(function* () {
    const { units } = work
    const result = `charlotte/${id}/result`
    const names = (yield* one.git(top, "ls-tree", "--name-only", result)).split("\n")
    const inResult = units.filter(({ unit }) => names.includes(`${unit}.txt`)).map(({ unit }) => unit)
    expect(inResult).toEqual(units.filter(({ state }) => state === "merged").map(({ unit }) => unit))
    return {
      states: units.map(({ state, unit }) => [unit, state]),
      tree: yield* one.git(top, "rev-parse", `${result}^{tree}`),
      turns: work.tasks.flatMap(({ resolves, unit }) => (resolves === undefined ? [] : [[unit, ...resolves]]))
    }
  })

describe("random plans", () => {
  it.scopedLive(
    "have the same result at any speed and over kills, with nothing of failed units, and no conflict resolved twice",
    () =>
      Effect.gen(function* () {
        const program = yield* Life.program
        const plans = fc.sample(fc.tuple(worlds(5), fc.array(fc.nat(9), { minLength: 5, maxLength: 5 }), fc.nat(4)), {
          numRuns: isLong ? 200 : 3,
          seed: 20
        })
        for (const [plan, delays, killedAfter] of plans)
          yield* Effect.gen(function* () {
            const one = yield* Witness.world
            const { config, top } = yield* repository(one, files(plan, one))
            const agent = { ...config, agent: "claude" }
            const manager = Witness.manager(one, { profiles: [resolver(one)] })
            yield* one.write(`${one.root}/resolve`, resolve(plan))
            const prepare = (delayOf: (at: number) => number) =>
              Effect.gen(function* () {
                yield* Effect.promise(() => rm(`${one.root}/begun`, { recursive: true, force: true }))
                yield* Effect.promise(() => mkdir(`${one.root}/begun`))
                for (const [at, { id }] of plan.units.entries())
                  yield* one.write(`${one.root}/delays/${id}`, `${delayOf(at)}`)
              })
            yield* one.git(top, "branch", "second", "main")

            yield* prepare(() => 0)
            const first = yield* Effect.provide(run({ ...agent, concurrency: 1 }), manager)
            const expected = yield* outcome(one, top, first)
            expect(yield* counted(one, "turns")).toBe(expected.turns.length)

            yield* prepare((at) => (delays[at] ?? 0) / 20)
            const life = yield* Life.begin(program, one, { ...agent, targetBranch: "second", concurrency: 4 })
            const begun = () => readdirSync(`${one.root}/begun`).length > Math.min(killedAfter, plan.units.length - 1)
            const isOver = Effect.map(
              Witness.latest,
              ({ status }) => status === "failed" || status === "completed"
            ).pipe(Effect.provide(Witness.records(one)))
            yield* life.until(
              Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), Effect.orDie(isOver)), {
                until: (isOver) => isOver || begun()
              })
            )
            yield* life.kill
            const second = yield* Effect.provide(
              Effect.flatMap(Witness.latest, ({ id }) => ended(id)),
              manager
            )
            expect(yield* outcome(one, top, second), JSON.stringify([...plan.conflicts])).toEqual(expected)
            // The turn during the kill goes on in another.
            expect(yield* counted(one, "turns")).toBeLessThanOrEqual(2 * expected.turns.length + 1)
            expect(existsSync(`${one.root}/witness/overlaps`)).toBe(false)
          }).pipe(Effect.scoped)
      }),
    isLong ? 7_200_000 : 300_000
  )
})
