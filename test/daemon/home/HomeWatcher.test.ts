/** What a daemon does about files of its home that somebody deletes. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Logger, Queue } from "effect"
import { mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs"
import * as Home from "../../../src/daemon/home/Home.js"
import * as HomeLock from "../../../src/daemon/home/HomeLock.js"
import * as HomeWatcher from "../../../src/daemon/home/HomeWatcher.js"
import { RealClock } from "../../../src/internal/RealClock.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

interface Watched {
  readonly home: string
  /** Lets as much real time go by as is allowed until something is noticed; tells whether it goes on. */
  readonly fiveSeconds: Effect.Effect<boolean>
  readonly logged: ReadonlyArray<string>
}

/** A home that is held, and looked after. */
const watched = <A, E>(use: (watched: Watched) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const home = yield* TemporaryDirectory.file("home")
    const logged: Array<string> = []
    const logger = Logger.make(({ message }) => void logged.push(String(message)))
    const layer = HomeLock.layer({ what: "daemon", version: "0.9.0" }).pipe(
      Layer.provideMerge(Home.layerAt(home)),
      Layer.provideMerge(NodeContext.layer)
    )
    return yield* Effect.gen(function* () {
      const { announce } = yield* HomeLock.HomeLock
      writeFileSync(`${home}/socket`, "")
      yield* announce([{ socket: `${home}/socket` }])
      const asleep = yield* Queue.unbounded<{ readonly millis: number; readonly wake: Effect.Effect<unknown> }>()
      const clock = RealClock.of({
        now: Effect.succeed(0),
        turn: Effect.void,
        sleep: (millis) =>
          Effect.flatMap(Deferred.make<void>(), (woken) =>
            Effect.zipRight(
              Queue.offer(asleep, { millis, wake: Deferred.succeed(woken, undefined) }),
              Deferred.await(woken)
            )
          )
      })
      const watch = HomeWatcher.untilLost([{ socket: `${home}/socket` }]).pipe(Effect.provideService(RealClock, clock))
      const over = Effect.as(Fiber.join(yield* Effect.forkScoped(watch)), undefined)
      // Whatever it does between two moments of sleep is done when it sleeps again, or is over.
      const next = Effect.raceFirst(Queue.take(asleep), over)
      let current = yield* next
      const fiveSeconds = Effect.gen(function* () {
        for (let left = 5_000; current !== undefined && current.millis <= left;) {
          left -= current.millis
          yield* current.wake
          current = yield* next
        }
        return current !== undefined
      })
      return yield* use({ home, fiveSeconds, logged })
    }).pipe(Effect.provide(Layer.provideMerge(layer, Logger.replace(Logger.defaultLogger, logger))))
  })

const times = (count: number, sentence: string, logged: ReadonlyArray<string>) =>
  expect(logged.filter((line) => line.includes(sentence))).toHaveLength(count)

describe("the watcher of a daemon's home", () => {
  it.scoped("logs nothing while everything is there", () =>
    watched(({ fiveSeconds, logged }) =>
      Effect.gen(function* () {
        expect([yield* fiveSeconds, yield* fiveSeconds, logged]).toEqual([true, true, []])
      })
    )
  )

  it.scoped("restores a deleted note", () =>
    watched(({ fiveSeconds, home, logged }) =>
      Effect.gen(function* () {
        const note = readFileSync(`${home}/lock.json`, "utf8")
        for (const spoil of [() => rmSync(`${home}/lock.json`), () => writeFileSync(`${home}/lock.json`, "{")]) {
          spoil()
          yield* fiveSeconds
          expect(readFileSync(`${home}/lock.json`, "utf8")).toBe(note)
        }
        times(2, `${home}/lock.json was deleted; restored it`, logged)
      })
    )
  )

  it.scoped("logs once that the note cannot be restored, and restores it later", () =>
    watched(({ fiveSeconds, home, logged }) =>
      Effect.gen(function* () {
        rmSync(`${home}/lock.json`)
        mkdirSync(`${home}/lock.json`)
        for (let count = 0; count < 5; count++) yield* fiveSeconds
        times(1, `${home}/lock.json cannot be written, so commands cannot find this process: `, logged)
        expect(logged).toHaveLength(1)
        rmdirSync(`${home}/lock.json`)
        yield* fiveSeconds
        times(1, `${home}/lock.json was deleted; restored it`, logged)
      })
    )
  )

  it.scoped("logs once that the lock or the socket was deleted, and continues", () =>
    watched(({ fiveSeconds, home, logged }) =>
      Effect.gen(function* () {
        rmSync(`${home}/lock`)
        yield* fiveSeconds
        times(1, HomeLock.lost(`${home}/lock`), logged)
        rmSync(`${home}/socket`)
        yield* fiveSeconds
        times(1, `${home}/socket was deleted, so clients cannot find this process: restart the daemon`, logged)
        expect([yield* fiveSeconds, logged.length]).toEqual([true, 2])
      })
    )
  )

  it.scoped("logs it again when it happens again", () =>
    watched(({ fiveSeconds, home, logged }) =>
      Effect.gen(function* () {
        for (const count of [1, 2]) {
          renameSync(`${home}/lock`, `${home}/away`)
          yield* fiveSeconds
          times(count, HomeLock.lost(`${home}/lock`), logged)
          renameSync(`${home}/away`, `${home}/lock`)
          yield* fiveSeconds
        }
        expect(logged).toHaveLength(2)
      })
    )
  )

  for (const [what, takeAway] of [
    ["deleted", (home: string) => rmSync(home, { recursive: true })],
    ["moved away", (home: string) => renameSync(home, `${home}.old`)]
  ] as const) {
    it.scoped(`ends when all of it was ${what}`, () =>
      watched(({ fiveSeconds, home }) =>
        Effect.gen(function* () {
          takeAway(home)
          expect(yield* fiveSeconds).toBe(false)
        })
      )
    )
  }
})

describe("the note of a holder that shuts down", () => {
  it.scoped("says so", () =>
    Effect.gen(function* () {
      const home = yield* TemporaryDirectory.file("home")
      const inHome = Layer.provideMerge(Home.layerAt(home), NodeContext.layer)
      yield* Effect.gen(function* () {
        const { announce, withdraw } = yield* HomeLock.make({ what: "daemon", version: "0.9.0" })
        const told = Effect.map(Effect.flatten(HomeLock.holder), ({ addresses, ending }) => ({ addresses, ending }))
        yield* announce([{ port: 1 }])
        expect(yield* told).toEqual({ addresses: [{ port: 1 }], ending: undefined })
        yield* withdraw
        expect(yield* told).toEqual({ addresses: undefined, ending: true })
      }).pipe(Effect.provide(inHome))
    })
  )
})
