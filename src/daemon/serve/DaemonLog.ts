/**
 * The log of a daemon: `daemon.log` among the logs of the home, with a JSON object on each line, redacted of the secrets that this
 * process knows. Fields such as `jobId` name the subject of a line.
 */
import { Cause, Effect, FiberRef, HashMap, HashSet, Logger } from "effect"
import { stringify } from "../../internal/Json.js"
import { Home } from "../home/Home.js"
import * as RotatedFile from "../home/RotatedFile.js"
import { Secrets } from "../home/Secrets.js"

/** The maximum size of each file, in bytes. */
const usualLimit = 10 * 1024 * 1024

/** The number of full files to keep. */
const keep = 4

export interface Options {
  /** Receives each line as well, in readable form. */
  readonly show?: ((line: string) => void) | undefined
  /** The maximum size of a file in bytes, if not the usual one. */
  readonly limit?: number
}

/** Redirects the log messages of an effect to the log, and nowhere else. */
export const to =
  ({ limit = usualLimit, show }: Options) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Home | Secrets> =>
    Effect.gen(function* () {
      const secrets = yield* Secrets
      const append = patiently(RotatedFile.make({ path: (yield* Home).log, limit, keep }).append)
      const toFile = Logger.make<unknown, void>((entry) => append(secrets.json(json(entry)), entry))
      const toPeople = show && Logger.make<unknown, void>((entry) => show(secrets.text(line(entry))))
      const loggers = toPeople === undefined ? [toFile] : [toFile, toPeople]
      return yield* Effect.locally(effect, FiberRef.currentLoggers, HashSet.fromIterable(loggers))
    })

type Entry = Logger.Logger.Options<unknown>

const textOf = (message: unknown): string =>
  (Array.isArray(message) ? message : [message])
    .map((word: unknown) => (typeof word === "string" ? word : word instanceof Error ? String(word) : stringify(word)))
    .join(" ")

const json = ({ annotations, cause, date, logLevel, message }: Entry): string => {
  const what = { at: date.toISOString(), level: logLevel.label, message: textOf(message) }
  const because = Cause.isEmpty(cause) ? {} : { cause: Cause.pretty(cause) }
  // These fields come first, and annotations cannot override them.
  return stringify({ ...what, ...Object.fromEntries(annotations), ...what, ...because })
}

const line = ({ annotations, cause, date, logLevel, message }: Entry): string => {
  const about = HashMap.toEntries(annotations).map(([name, value]) => `${name}=${textOf(value)}`)
  const words = [date.toISOString(), logLevel.label.padEnd(5), textOf(message), ...about].join(" ")
  return Cause.isEmpty(cause) ? words : `${words}\n${Cause.pretty(cause)}`
}

/** A full or missing disk loses lines and does no other harm. Once there is space again, the log reports how many. */
const patiently = (append: (line: string) => void) => {
  let lost = 0
  let reason = ""
  return (line: string, { date }: Entry): void => {
    try {
      if (lost > 0) {
        const message = `${lost} lines could not be written here: ${reason}`
        append(stringify({ at: date.toISOString(), level: "WARN", message }))
        lost = 0
      }
      append(line)
    } catch (cause) {
      lost += 1
      reason = cause instanceof Error ? cause.message : String(cause)
    }
  }
}
