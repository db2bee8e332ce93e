import { expect, it } from "@effect/vitest"
import { Effect, Random } from "effect"
import { unit } from "../Jobs.js"
import * as Life from "./Life.js"
import * as Witness from "./Witness.js"

const kills = Number(process.env["WORK_KILLS"] ?? 20)
const seed = process.env["WORK_SEED"] ?? "charlotte"

/** So many hit one job. */
const inARow = 7

/** About as long as the job takes, in milliseconds. */
const longest = 1500

const files = {
  "charlotte.yaml": Witness.settings,
  "a/IMPLEMENTATION_PLAN.md": unit(),
  "a/01-a1.md": Witness.named("a1", 1),
  "a/02-a2.md": Witness.named("a2", 2, [1]),
  "b/IMPLEMENTATION_PLAN.md": unit(),
  "b/01-b1.md": Witness.named("b1", 1),
  "b/02-b2.md": Witness.named("b2", 2),
  "c/IMPLEMENTATION_PLAN.md": unit(["a"]),
  "c/01-c1.md": Witness.named("c1", 1)
}

/** One life of a manager, to a random moment; what a kill cuts off before any work has begun may not come twice in a row. */
const liveAndDie = (program: string, { config, world }: Witness.Job, isFirst: boolean, mayBeEarly: boolean) =>
  Effect.gen(function* () {
    const life = yield* Life.begin(program, world, isFirst ? config : undefined)
    const isEarly = mayBeEarly && (yield* Random.nextIntBetween(0, 4)) === 0
    yield* life.told(isEarly ? "ready" : "working")
    yield* Effect.sleep(yield* Random.nextIntBetween(0, isEarly ? 100 : longest))
    yield* life.kill
    return isEarly
  }).pipe(Effect.scoped)

it.scopedLive(
  `a job of tasks goes on and comes out the same, wherever its manager is killed, at ${kills} moments`,
  () =>
    Effect.gen(function* () {
      const program = yield* Life.program
      const expected = yield* Witness.undisturbed(files)
      const figures = { kills: 0, jobs: 0, attempts: 0, calls: 0 }
      while (figures.kills < kills) {
        yield* Effect.gen(function* () {
          const world = yield* Witness.world
          const job = yield* Witness.job(world, files, 3)
          const lookBack = Witness.lookBack(job, expected)
          let mayBeEarly = true
          for (let life = 0; life < inARow && figures.kills < kills; life++) {
            mayBeEarly = !(yield* liveAndDie(program, job, life === 0, mayBeEarly))
            figures.kills += 1
            const { status } = yield* lookBack
            if (status === "completed") break
          }
          const { attempt } = yield* Witness.comesOut(job, expected)
          figures.jobs += 1
          figures.attempts += attempt
          figures.calls += Witness.calls(world).filter((call) => call.startsWith("agent-")).length
        }).pipe(Effect.scoped)
      }
      const { attempts, calls, jobs } = figures
      process.stdout.write(
        `work crash: ${figures.kills} kills, ${jobs} jobs, ${attempts} attempts, ${calls} agent calls for ${jobs * 5} tasks, ` +
          `0 done twice (seed ${seed})\n`
      )
      expect(attempts).toBeGreaterThan(jobs)
    }).pipe(Effect.withRandom(Random.make(seed))),
  60_000 + kills * 15_000
)
