/**
 * Processes with one schedule, whose clocks are an hour ahead or behind at times, and which are killed in turn.
 */
import { Effect, Exit, Random, Scope } from "effect"
import { fileURLToPath } from "node:url"
import { bundle } from "../../support/bundle.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as Killed from "../killedProcess.js"

/** How many jobs are heard of before the next kill. */
const [least, most] = [1, 8]

/** How many ticks the last process has by itself. */
const calm = 5

export interface Story {
  /** The jobs that ran, by their ticks. */
  readonly jobs: ReadonlyMap<string, ReadonlySet<string>>
  readonly problems: ReadonlyArray<string>
}

/** Kills one of the processes after the other, each of which has a role, and then lets one of the first role have some ticks. */
export const story = ({
  addressed = Effect.succeed(""),
  database,
  kills,
  roles
}: {
  readonly database: string
  readonly roles: readonly [string, ...ReadonlyArray<string>]
  readonly kills: number
  /** The address of the next process. */
  readonly addressed?: Effect.Effect<string>
}) =>
  Effect.gen(function* () {
    const directory = yield* TemporaryDirectory.make
    const main = fileURLToPath(new URL("main.ts", import.meta.url))
    const program = yield* bundle(directory, main)
    const origin = String(Date.now())
    const jobs = new Map<string, Set<string>>()
    const problems: Array<string> = []
    let heard = 0

    const hear = (line: string) => {
      const [what, tick = "", id = ""] = line.split(" ")
      if (what !== "ran") return void problems.push(`it says: ${line}`)
      heard += 1
      const ids = jobs.get(tick) ?? new Set()
      jobs.set(tick, ids.add(id))
      if (ids.size === 2)
        problems.push(`${new Date(Number(tick)).toISOString()} has the jobs ${[...ids].join(" and ")}`)
    }
    const isOver = () => problems.length > 0
    const until = (count: number) => Effect.repeat(Effect.sleep(5), { until: () => heard >= count || isOver() })
    const begin = (role: string, seed: number) =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
        const args = [role, database, origin, String(seed), yield* addressed]
        yield* Scope.extend(
          Killed.live(program, args, { hear, wrong: (problem) => void problems.push(problem) }),
          scope
        )
        return { role, scope }
      })
    const seed = Random.nextIntBetween(1, 2 ** 31)

    const [first] = roles
    const living = yield* Effect.forEach(roles, (role) => Effect.flatMap(seed, (seed) => begin(role, seed)))
    for (let n = 0; n < kills && !isOver(); n++) {
      yield* until(heard + (yield* Random.nextIntBetween(least, most)))
      const [killed] = living.splice(yield* Random.nextIntBetween(0, living.length), 1)
      if (killed === undefined) continue
      yield* Scope.close(killed.scope, Exit.void)
      living.push(yield* begin(killed.role, yield* seed))
    }
    for (const { scope } of living) yield* Scope.close(scope, Exit.void)
    if (!isOver()) {
      yield* begin(first, 0)
      yield* until(heard + calm)
    }
    const all: Story = { jobs, problems }
    return all
  })
