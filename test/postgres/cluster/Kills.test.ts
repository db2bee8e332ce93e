import { describe, expect, it } from "@effect/vitest"
import { JobId } from "charlotte"
import { Effect, Fiber } from "effect"
import { isLong } from "../../support/long.js"
import * as Random from "../../simulation/Random.js"
import * as TestDatabase from "../database.js"
import * as Members from "./members.js"
import * as verdict from "./verdict.js"

const kills = Number(process.env["CLUSTER_KILLS"] ?? (isLong ? 100 : 5))

/** `CLUSTER_SEED` plays the same kills again, as far as the machine does the same again. */
const seed = Number(process.env["CLUSTER_SEED"] ?? Math.floor(Math.random() * 2 ** 31))

/** Jobs that do not end by themselves; beside them short ones are started all the time. */
const steady = 6

/** Starts short jobs on any node, some of them with a child process. A node that is killed does not answer. */
const load = (members: readonly [Members.Member, ...ReadonlyArray<Members.Member>], random: Random.Random) =>
  Effect.suspend(() =>
    random
      .pick(members)
      .node()
      .ask(JobId.JobId, {
        _tag: "Start",
        millis: random.between(50, 3_000),
        hasChild: random.chance(0.3),
        whenFull: "queue"
      })
  ).pipe(Effect.ignore, Effect.zipRight(Effect.suspend(() => Effect.sleep(random.between(100, 500)))), Effect.forever)

describe(`nodes that are killed ${kills} times, at random`, () => {
  it.scopedLive(
    "leave their jobs to others, which continue each once, with nothing left of the attempt before, and no follower misses an event",
    () =>
      Effect.gen(function* () {
        const random = Random.make(seed)
        const url = yield* TestDatabase.make
        const { a, b, c } = yield* Members.three(url)
        const members = [a, b, c] as const
        const { ids } = yield* Members.startAll(a, steady)
        const loading = yield* Effect.fork(load(members, random.fork()))

        for (let killed = 0; killed < kills;) {
          const survivor = random.pick(members)
          const others = members.filter((member) => member !== survivor)
          const count = Math.min(kills - killed, random.between(1, others.length))
          const victims = random.chance(0.5) ? others.slice(0, count) : others.toReversed().slice(0, count)
          yield* Effect.forEach(members, ({ followed }) => followed)
          yield* Effect.sleep(random.between(0, 2_000))
          const before = yield* Members.taken(survivor)
          for (const { node } of victims) {
            yield* Effect.sleep(random.between(0, 300))
            yield* node().signal("SIGKILL")
          }
          killed += count
          const restarts = yield* Effect.forEach(victims, ({ restart }) => Effect.fork(restart))
          yield* Members.until(survivor, (taken) =>
            ids.every((id) => {
              const [was, is] = [before.get(id), taken.get(id)]
              const isLost = victims.some(({ address }) => address === was?.address)
              return is?.attempt === (was?.attempt ?? 0) + (isLost ? 1 : 0)
            })
          )
          yield* Effect.forEach(restarts, Fiber.join)
        }

        yield* Fiber.interrupt(loading)
        yield* Effect.forEach(ids, (id) => Members.stop(a, id), { concurrency: "unbounded" })
        expect(yield* verdict.ended(url)).toEqual([])
        for (const member of members) expect(yield* verdict.missed(url, member)).toEqual([])
        expect(yield* verdict.problems(url)).toEqual([])
      }).pipe(
        Effect.onError(() => Effect.sync(() => process.stderr.write(`to play it again: CLUSTER_SEED=${seed}\n`)))
      ),
    180_000 + kills * 30_000
  )
})
