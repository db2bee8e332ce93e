import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { DateTime, Effect, Layer, Option } from "effect"
import * as ensureRunning from "../../../src/cli/daemon/ensureRunning.js"
import * as LockOwner from "../../../src/daemon/home/LockOwner.js"
import * as Home from "../../../src/daemon/home/Home.js"
import { KernelRef } from "../../../src/internal/ProcessIdentity.js"
import { RealClock } from "../../../src/internal/RealClock.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as Capture from "../Capture.js"

/** Each look at this clock is twenty seconds after the last: on a machine on which everything takes for ever. */
const slow = (sleep: Effect.Effect<void>) =>
  Effect.map(RealClock, (clock) => {
    let now = 0
    return { ...clock, now: Effect.sync(() => (now += 20_000)), sleep: () => sleep }
  })

const addresses = [
  { socket: "/a/socket" },
  { host: "127.0.0.1", port: 7433 },
  { host: "node1", port: 7434, url: "https://node1:7434" }
]

/** Asks for a daemon in a home of which this process says that it has it, and at some time that it is ready. */
const up = (isReady: "at once" | "later" | "never", listen?: { readonly host: string; readonly port: number }) =>
  Effect.gen(function* () {
    const directory = yield* TemporaryDirectory.make
    const home = Layer.provideMerge(Home.layerAt(directory), NodeContext.layer)
    const { self } = yield* KernelRef
    const note = { what: "daemon", version: "0.1.0", since: yield* DateTime.now, process: self, file: "none" } as const
    const ready = Effect.provide(LockOwner.leave(new LockOwner.LockOwner({ ...note, addresses })), home)
    yield* isReady === "at once" ? ready : Effect.provide(LockOwner.leave(new LockOwner.LockOwner(note)), home)
    return yield* Effect.either(
      ensureRunning.up({
        database: Option.none(),
        listen: Option.fromNullable(listen),
        node: {},
        port: {},
        json: false
      })
    ).pipe(
      Effect.provideServiceEffect(RealClock, slow(isReady === "later" ? Effect.orDie(ready) : Effect.void)),
      Effect.provide([home, Capture.make().layer])
    )
  })

const found = { _tag: "Right", right: { isNew: false, holder: { process: { pid: process.pid } } } }

describe("ensureRunning", () => {
  it.scoped("returns the daemon that is ready, however long the check took", () =>
    Effect.map(up("at once"), (answer) => expect(answer).toMatchObject(found))
  )

  it.scoped("returns the daemon that listens there, and names the way to one that does not", () =>
    Effect.gen(function* () {
      for (const [host, port] of [
        ["127.0.0.1", 7433],
        ["localhost", 7433],
        ["127.0.0.1", 0],
        ["node1", 7434]
      ] as const)
        expect(yield* up("at once", { host, port })).toMatchObject(found)
      for (const [host, port] of [
        ["10.0.0.5", 7433],
        ["127.0.0.9", 7433],
        ["0.0.0.0", 0],
        ["127.0.0.1", 7434],
        ["node1", 7433]
      ] as const) {
        const address = `${host}:${port}`
        expect(yield* up("at once", { host, port })).toMatchObject({
          left: { name: "NotListening", details: { address } }
        })
      }
    })
  )

  it.scoped("starts the timeout for readiness when the daemon is first seen", () =>
    Effect.map(up("later"), (answer) => expect(answer).toMatchObject(found))
  )

  it.scoped("times out", () =>
    Effect.map(up("never"), (answer) =>
      expect(answer).toMatchObject({
        _tag: "Left",
        left: { _tag: "HomeBusy", holder: { process: { pid: process.pid } } }
      })
    )
  )
})
