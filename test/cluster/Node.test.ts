import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { StoreError } from "charlotte/errors"
import { type Context, type Duration, Effect, Fiber, Logger, Ref, type Scope, TestClock } from "effect"
import * as Node from "../../src/cluster/Node.js"
import { RealClock } from "../../src/internal/RealClock.js"
import { StartProgress } from "../../src/store/port/StartProgress.js"

const kind = "work"

/** A node whose signs of life take so long, on a machine that can be suspended. */
const make = (latency: Duration.DurationInput) =>
  Effect.gen(function* () {
    const { cluster } = yield* RunStore.RunStore
    const suspended = yield* Ref.make(0)
    const ages = yield* Ref.make<ReadonlyArray<number>>([])
    const letGo = yield* Ref.make(0)
    const wall: Context.Tag.Service<RealClock> = {
      now: Effect.map(Ref.get(suspended), (millis) => 50_000 + millis),
      sleep: Effect.sleep,
      turn: Effect.void
    }
    const isSilent = yield* Ref.make(false)
    const silence = new StoreError({
      operation: "renew a node",
      reason: "unreachable",
      cause: new Error("it is silent")
    })
    const disconnections = yield* Ref.make(0)
    const store = {
      ...cluster,
      renew: (id: string) =>
        Effect.delay(Effect.if(isSilent, { onTrue: () => silence, onFalse: () => cluster.renew(id) }), latency),
      disconnect: Ref.update(disconnections, (n) => n + 1)
    }
    const node = { id: "a/1", kind, address: "a:1", pid: 1, machine: "m", capacity: 1 }
    yield* Node.make(store, node, {
      lease: 5_000,
      letGo: Ref.update(letGo, (n) => n + 1),
      onRenewed: (age) => Ref.update(ages, (all) => [...all, age])
    }).pipe(Effect.provideService(RealClock, wall), Effect.forkScoped)
    yield* TestClock.adjust(latency)
    return {
      ages: Ref.get(ages),
      letGo: Ref.get(letGo),
      disconnections: Ref.get(disconnections),
      becomeSilent: Ref.set(isSilent, true),
      answerAgain: Ref.set(isSilent, false),
      suspend: (millis: number) => Ref.set(suspended, millis)
    }
  })

describe("a node", () => {
  it.scoped("says how many milliseconds ago it has asked what the database answers", () =>
    Effect.gen(function* () {
      const { ages } = yield* make(2_000)
      expect(yield* ages).toEqual([2_000])
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("counts its lease from when it sent the sign of life that was answered last", () =>
    Effect.gen(function* () {
      const { becomeSilent, letGo } = yield* make(2_000)
      yield* becomeSilent
      yield* TestClock.adjust(2_900)
      expect(yield* letGo).toBe(0)
      yield* TestClock.adjust(300)
      expect(yield* letGo).toBe(1)
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped(
    "lets go of its jobs after a pause that is longer than its lease, also where its next sign of life comes first",
    () =>
      Effect.gen(function* () {
        const { letGo, suspend } = yield* make(30)
        // The lease is checked 2,030 and 2,130 milliseconds after the start, and the sign of life takes from 2,060 to 2,090.
        yield* TestClock.adjust(2_010)
        yield* suspend(20_000)
        expect(yield* letGo).toBe(0)
        yield* TestClock.adjust(60)
        expect(yield* letGo).toBe(1)
        yield* TestClock.adjust(10_000)
        expect(yield* letGo).toBe(1)
      }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("keeps its jobs if it reads an answer late, while its lease has held since it asked", () =>
    Effect.gen(function* () {
      const { letGo, suspend } = yield* make(30)
      // The sign of life takes from 2,060 to 2,090, and the one before was sent more than a lease ago by then.
      yield* TestClock.adjust(2_020)
      yield* suspend(1_000)
      yield* TestClock.adjust(20)
      yield* suspend(5_500)
      yield* TestClock.adjust(15)
      expect(yield* letGo).toBe(0)
      yield* TestClock.adjust(400)
      expect(yield* letGo).toBe(0)
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("says whether the database or this process was silent", () =>
    Effect.gen(function* () {
      const lines = yield* Ref.make<ReadonlyArray<string>>([])
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel._tag === "Error") Effect.runSync(Ref.update(lines, (all) => [...all, String(message)]))
      })
      const said = (scene: Effect.Effect<unknown, never, RunStore.RunStore | Scope.Scope>) =>
        Effect.zipRight(
          Effect.provide(Effect.scoped(scene), [RunStore.layerMemory, Logger.add(logger)]),
          Ref.getAndSet(lines, [])
        )
      const after = "this node lets go of its jobs, and others continue them"
      const starved = Effect.gen(function* () {
        const { suspend } = yield* make(30)
        yield* TestClock.adjust(2_010)
        yield* suspend(20_000)
        yield* TestClock.adjust(100)
      })
      expect(yield* said(starved)).toEqual([
        expect.stringMatching(new RegExp(`^this process has run for only \\d{3,4} of the last 20000 ms: ${after}$`))
      ])
      const silent = Effect.gen(function* () {
        const { becomeSilent } = yield* make(30)
        yield* becomeSilent
        yield* TestClock.adjust("7 seconds")
      })
      expect(yield* said(silent)).toEqual([`the database has not answered for 5000 ms: ${after}`])
    })
  )

  it.scoped("ends its connections again and again while the database is silent, and leaves them alone afterwards", () =>
    Effect.gen(function* () {
      const { answerAgain, becomeSilent, disconnections } = yield* make(30)
      yield* TestClock.adjust("20 seconds")
      expect(yield* disconnections).toBe(0)
      yield* becomeSilent
      yield* TestClock.adjust("20 seconds")
      expect(yield* disconnections).toBe(4)
      yield* answerAgain
      yield* TestClock.adjust("20 seconds")
      expect(yield* disconnections).toBe(4)
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("says once who has its address while it waits for a node that was killed", () =>
    Effect.gen(function* () {
      const { cluster } = yield* RunStore.RunStore
      const lines = yield* Ref.make<ReadonlyArray<string>>([])
      const newNode = (id: string, pid: number) => ({ id, kind, address: "a:1", pid, machine: "m", capacity: 1 })
      yield* cluster.join(newNode("a/1", 1))
      yield* TestClock.adjust("2 seconds")
      const joining = yield* Node.make(cluster, newNode("a/2", 2), {
        lease: 5_000,
        letGo: Effect.void,
        onRenewed: () => Effect.void
      }).pipe(
        Effect.provideService(StartProgress, (line) => Ref.update(lines, (all) => [...all, line])),
        Effect.fork
      )
      yield* TestClock.adjust("11 seconds")
      yield* Fiber.join(joining)
      expect(yield* Ref.get(lines)).toEqual([
        "the address a:1 is that of process 1 on machine m, whose last sign of life is 2 s old; waiting up to 11 s until it counts as dead"
      ])
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})
