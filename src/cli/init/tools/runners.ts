/**
 * What runs the commands of other tools: make and just.
 */
import { Effect, Option } from "effect"
import type { Detect } from "./Tool.js"

/** The first target or recipe of these that a file of such a runner has. */
const targetOf = (text: string) =>
  ["test", "tests", "check"].find((name) => new RegExp(`^${name}(?: [^:=]*)?:(?!=)`, "m").test(text))

const runner =
  (name: string, names: ReadonlyArray<string>): Detect =>
  (files) =>
    Effect.gen(function* () {
      const file = yield* files.first(names)
      if (Option.isNone(file)) return Option.none()
      const target = targetOf(yield* files.text(file.value))
      return Option.some({ name, gates: target === undefined ? [] : [`${name} ${target}`], leavings: [] })
    })

export const runners: ReadonlyArray<Detect> = [
  runner("make", ["GNUmakefile", "makefile", "Makefile"]),
  runner("just", ["justfile", "Justfile", ".justfile"])
]
