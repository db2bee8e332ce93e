import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { DateTime, Effect, Layer, Option } from "effect"
import * as Up from "../../../src/cli/daemon/Up.js"
import * as Holder from "../../../src/daemon/Holder.js"
import * as Home from "../../../src/daemon/Home.js"
import { KernelRef } from "../../../src/store/ProcessIdentity.js"
import { WallClock } from "../../../src/store/WallClock.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as Capture from "../Capture.js"

/** Each look at this clock is a minute after the last: on a machine on which everything takes for ever. */
const slow = Effect.map(WallClock, (clock) => {
  let now = 0
  return { ...clock, now: Effect.sync(() => (now += 60_000)), sleep: () => Effect.void }
})

/** Asks for a daemon in a home of which this process says that it has it. */
const up = (addresses: ReadonlyArray<Holder.Address> | undefined) =>
  Effect.gen(function* () {
    const directory = yield* TemporaryDirectory.make
    const { self } = yield* KernelRef
    const note = { what: "daemon", version: "0.1.0", since: yield* DateTime.now, process: self, file: "none" } as const
    return yield* Effect.zipRight(
      Holder.leave(new Holder.Holder({ ...note, ...(addresses && { addresses }) })),
      Effect.either(Up.up({ listen: Option.none(), json: false }))
    ).pipe(
      Effect.provideServiceEffect(WallClock, slow),
      Effect.provide([Layer.provideMerge(Home.layerAt(directory), NodeContext.layer), Capture.make().layer])
    )
  })

describe("a daemon that is asked for", () => {
  it.scoped("is the one that is ready, however long it took to find that out", () =>
    Effect.map(up([{ socket: "/a/socket" }]), (found) =>
      expect(found).toMatchObject({ _tag: "Right", right: { isNew: false, holder: { process: { pid: process.pid } } } })
    )
  )

  it.scoped("is not waited for for ever, where another one does not become ready", () =>
    Effect.map(up(undefined), (found) =>
      expect(found).toMatchObject({
        _tag: "Left",
        left: { _tag: "HomeBusy", holder: { process: { pid: process.pid } } }
      })
    )
  )
})
