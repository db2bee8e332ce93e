/**
 * A node in a process of its own, which tests kill and freeze.
 */
import { Duration, Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { inject } from "vitest"
import type { Timing } from "../../src/cluster/engine/EffectCluster.js"
import { freeAddress } from "./engineAt.js"

export interface EngineProcess {
  readonly address: string
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  readonly kill: Effect.Effect<void>
  /** How many jobs it has, as it says next, at or after a time in milliseconds of the epoch. */
  readonly count: (since?: number) => Effect.Effect<number>
}

export const make = (
  url: string,
  { assignment, expiration, refresh }: Timing
): Effect.Effect<EngineProcess, never, Scope.Scope> =>
  Effect.gen(function* () {
    const address = yield* freeAddress
    const args = [url, address, ...[expiration, refresh, assignment].map((time) => String(Duration.toMillis(time)))]
    const start = Effect.sync(() =>
      spawn(process.execPath, [inject("programs").engineNode, ...args], { stdio: ["ignore", "pipe", "inherit"] })
    )
    const child = yield* Effect.acquireRelease(start, (child) =>
      Effect.promise(async () => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const exit = once(child, "exit")
        child.kill("SIGKILL")
        await exit
      })
    )
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    return {
      address,
      signal: (signal) => Effect.sync(() => void child.kill(signal)),
      kill: Effect.promise(async () => {
        const exit = once(child, "exit")
        child.kill("SIGKILL")
        await exit
      }),
      count: (since = 0) =>
        Effect.promise(async () => {
          for (;;) {
            const { done, value } = await lines.next()
            if (done === true) throw new Error("the process has ended")
            const [count = Number.NaN, at = Number.NaN] = value.split(" ").map(Number)
            if (at >= since) return count
          }
        })
    }
  })
