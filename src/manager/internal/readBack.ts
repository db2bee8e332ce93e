/**
 * Refuses a configuration that does not survive a round trip through JSON: it is recorded as JSON, and every attempt after a
 * restart works with the value that is read back.
 */
import { Effect, Predicate, Schema } from "effect"
import { InvalidJobConfig } from "../../domain/errors.js"
import { invalidConfig } from "../../domain/invalidConfig.js"
import { parse, stringify } from "../../internal/Json.js"
import { sizeProblem } from "./maxBytes.js"
import type { Provide } from "./provide.js"

/** Compiles the check for a schema, and for the size of what is recorded. */
export const make = <C, I, R>(
  schema: Schema.Schema<C, I, R>,
  provide: Provide<R>,
  maxBytes: number
): ((config: C, encoded: I) => Effect.Effect<void, InvalidJobConfig>) => {
  const decode = Schema.decodeUnknown(schema)
  const encode = Schema.encode(schema)
  const isSame = Schema.equivalence(schema)

  return (config, encoded) =>
    Effect.gen(function* () {
      const json = stringify(encoded)
      const tooLarge = sizeProblem(json, maxBytes)
      if (tooLarge !== undefined) return yield* invalid([], tooLarge)
      const recorded = parse(json)
      const changed = firstDifference(encoded, recorded, [])
      if (changed !== undefined) return yield* invalid(changed, "cannot be recorded as JSON")
      const again = yield* Effect.mapError(provide(decode(recorded)), (error) => {
        const [first] = invalidConfig(error).issues
        return invalid(first?.path ?? [], `cannot be read back with its own schema: ${first?.message ?? error.message}`)
      })
      // An equivalence of unknown values compares them by reference.
      if (isSame(config, again) || firstDifference(config, again, []) === undefined) return
      // The encoded forms are equal if the schema encodes several values alike.
      const path =
        firstDifference(encoded, yield* Effect.orDie(provide(encode(again))), []) ?? firstDifference(config, again, [])
      return yield* invalid(path ?? [], "is another value when it is read back")
    })
}

export type Path = ReadonlyArray<string | number>

const invalid = (path: Path, message: string) => new InvalidJobConfig({ issues: [{ path, message }] })

/** The path to the first value that differs; properties that are `undefined` count as missing. */
export const firstDifference = (before: unknown, after: unknown, path: Path): Path | undefined => {
  if (before === after) return undefined
  if (Array.isArray(before) && Array.isArray(after)) {
    if (before.length !== after.length) return path
    return firstOf(before.map((value: unknown, i) => firstDifference(value, after[i], [...path, i])))
  }
  if (!isStructure(before) || !isStructure(after) || prototypeOf(before) !== prototypeOf(after)) return path
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return firstOf([...names].map((name) => firstDifference(before[name], after[name], [...path, name])))
}

const firstOf = (paths: ReadonlyArray<Path | undefined>): Path | undefined => paths.find((path) => path !== undefined)

const prototypeOf = (value: object): unknown => Object.getPrototypeOf(value)

/** Whether a value consists only of its properties, unlike a date or a map. */
const isStructure = (value: unknown): value is { readonly [name: string]: unknown } =>
  Predicate.isRecord(value) && (Object.keys(value).length > 0 || prototypeOf(value) === Object.prototype)
