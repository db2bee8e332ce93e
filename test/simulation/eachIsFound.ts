import { describe, expect, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { isLong } from "../support/long.js"
import * as Bundle from "./Bundle.js"
import type * as Figures from "./Figures.js"
import type { Variant } from "./variants.js"

/** A number that each commit draws, from the hash of its tree. */
const drawn = Number.parseInt(
  spawnSync("git", ["rev-parse", "HEAD^{tree}"], { cwd: import.meta.dirname, encoding: "utf8" }).stdout.slice(0, 8) ||
    "0",
  16
)

/** A quarter of them on each change, and all of them in the long form: each searches for up to a minute. */
const chosen = <A>(all: ReadonlyArray<A>): ReadonlyArray<A> => {
  const first = drawn % all.length
  return isLong ? all : [...all.slice(first), ...all.slice(0, first)].slice(0, Math.ceil(all.length / 4))
}

interface Options {
  readonly of: Figures.Subject
  /** In which each has to be found; one that few seeds show, in four times as many. */
  readonly seeds: number
}

/** Tests that the simulation finds what was broken on purpose. */
export const eachIsFound = (
  subject: string,
  variants: Readonly<Record<string, Variant>>,
  { of, seeds }: Options
): void => {
  describe(`${subject} finds within ${seeds} seeds that`, () => {
    const tried = Object.entries(variants).filter(([, { isRare = false }]) => isLong || !isRare)
    for (const [name, { isRare = false, patches, symptom }] of chosen(tried))
      it(`${name}`, { timeout: isRare ? 3_600_000 : 600_000 }, async () => {
        // One process: each of several would search until it has found it itself.
        const range = { from: 1, seeds: isRare ? 4 * seeds : seeds, processes: 1 }
        const { failures } = await Bundle.withBundle(patches, (bundle) =>
          Bundle.run(bundle, { of, ...range, until: symptom })
        )
        // What is broken may show in other ways as well.
        expect(failures.map(({ violations }) => violations.join("\n")).join("\n")).toMatch(symptom)
      })
  })
}
