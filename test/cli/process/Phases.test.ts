/** `charlotte run` is left by SIGINT in each phase of a job, of which a latch tells that it is reached. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { dirname } from "node:path"
import { litter } from "../../tasks/Jobs.js"
import { type Phase, phases } from "../../tasks/run/Phases.js"
import * as Witness from "../../tasks/run/Witness.js"
import * as Charlotte from "./Charlotte.js"

const names = ["setup", "agent", "gate", "a commit is written", "merge", "baseline"]

const inTurn: ReadonlyArray<Phase> = [
  ...phases.filter(({ name }) => names.includes(name)),
  // The target is checked out here.
  { name: "landing", at: ["before", "merge --ff-only *"], isShielded: true }
]

const trailers = ["a 1", "a 2", "b", "b 1"]

describe("charlotte run interrupted by SIGINT in each phase of its job", () => {
  it.scopedLive(
    "leaves no process and no git lock, and resumes each time without repeating a task or merge",
    () =>
      Effect.gen(function* () {
        const witness = yield* Witness.world
        const world = yield* Charlotte.within(witness, () => ({
          ...Witness.twoUnits,
          "charlotte.yaml": `agent: script\n${Witness.settings}`
        }))
        const { git, home, repository } = world
        yield* world.write(`${home}/config.yaml`, "gates: { env: [WITNESS] }\n")
        const variables = {
          WITNESS: witness.witness,
          PATH: `${dirname(witness.environment.executable)}:${world.variables["PATH"]}`
        }
        const target = yield* git(repository, "rev-parse", "main")
        yield* world.write(`${repository}/b.txt`, "dirty\n")
        let command = "charlotte run tasks --concurrency 1"
        for (const { at, isShielded = false, name, times } of inTurn) {
          yield* Witness.holdAt(witness, at, command.includes("run") ? times : 1)
          const running = yield* Charlotte.start(world, `exec ${command}`, { variables })
          yield* Witness.reached(witness, at)
          yield* running.kill("SIGINT")
          yield* running.says(/^stopping;/)
          if (isShielded) yield* Witness.release(witness)
          const ended = yield* running.ended
          expect([name, ended.code]).toEqual([name, 130])
          expect([name, Charlotte.processes(world)]).toEqual([name, []])
          yield* Witness.release(witness)
          expect(yield* litter(world, repository)).toEqual([])
          expect(yield* git(repository, "status", "--porcelain")).toBe(" M b.txt\n")
          const isLanded = (yield* git(repository, "rev-parse", "main")) !== target
          expect([name, isLanded]).toEqual([name, name === "landing"])
          expect(yield* Witness.trailers(witness, repository, `${target.trim()}..main`)).toEqual(
            isLanded ? trailers : []
          )
          command = Charlotte.next(ended)
        }
        const { code, err } = yield* Charlotte.run(world, command, { variables })
        expect([code, err]).toEqual([0, ""])
        expect(yield* Witness.trailers(witness, repository, `${target.trim()}..main`)).toEqual(trailers)
        expect(yield* git(repository, "status", "--porcelain")).toBe(" M b.txt\n")
      }),
    300_000
  )
})
