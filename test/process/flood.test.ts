import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync, statSync } from "node:fs"
import { ProcessRunner } from "../../src/process/ProcessRunner.js"
import { directory, layer, script, timed } from "./workshop.js"

const MiB = 1024 * 1024

/** By how many bytes the memory of this program grows at the most. */
const growth = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const before = process.memoryUsage.rss()
      const peak = { bytes: 0 }
      const look = () => (peak.bytes = Math.max(peak.bytes, process.memoryUsage.rss() - before))
      return { peak, timer: setInterval(look, 5) }
    }),
    ({ peak }) => Effect.map(effect, (value) => ({ value, growth: peak.bytes })),
    ({ timer }) => Effect.sync(() => clearInterval(timer))
  )

describe("a process that prints without end", () => {
  const flood = (text: string, bytes: number) =>
    Effect.gen(function* () {
      const home = yield* directory
      const options = script(home, text)
      const runner = yield* ProcessRunner
      const { growth: grown, value } = yield* growth(timed(runner.run(options)))
      const { outcome, output } = value.value
      expect(outcome).toEqual({ _tag: "Exited", code: 7 })
      expect(output).toMatchObject({ bytes, problem: undefined })
      expect(grown).toBeLessThan(128 * MiB)
      const { size } = statSync(options.output)
      expect(size).toBeLessThanOrEqual(64 * MiB)
      expect(size).toBeGreaterThan(47 * MiB)
      const log = readFileSync(options.output)
      const marker = `\n[charlotte: ${output.omitted} bytes of output are left out here]\n`
      expect(log.indexOf(marker)).toBe(32 * MiB)
      expect(size - marker.length).toBe(bytes - output.omitted)
      expect(output.size).toBe(size)
      return output.tail
    })

  it.scopedLive(
    "as one line of 2 GB is not held up, and its log says what was cut",
    () =>
      Effect.gen(function* () {
        const tail = yield* flood(`head -c ${2048 * MiB} /dev/zero; printf end; exit 7`, 2048 * MiB + 3)
        expect(tail.slice(-4)).toBe("\0end")
      }).pipe(Effect.provide(layer)),
    300_000
  )

  it.scopedLive(
    "500 MB on its standard error is not held up either",
    () => flood(`yes 'an error' | head -c ${500 * MiB} >&2; exit 7`, 500 * MiB).pipe(Effect.provide(layer)),
    300_000
  )
})
