/**
 * What the commands of the daemon say.
 */
import { DateTime, Effect, Option } from "effect"
import * as Holder from "../../daemon/Holder.js"
import * as Line from "../Line.js"
import { Output, writeLines } from "../Output.js"
import type { Up } from "./Up.js"

interface Manner {
  readonly json: boolean
}

/** For programs. */
const object = ({ addresses = [], process, since, version, what }: Holder.Holder) => ({
  what,
  pid: process.pid,
  version,
  since: DateTime.formatIso(since),
  addresses
})

export const asJson = (value: unknown) => Effect.flatMap(Output, ({ write }) => write(`${JSON.stringify(value)}\n`))

/** A daemon takes jobs. */
export const up = ({ holder, isNew }: Up, { json }: Manner) =>
  json
    ? asJson({ daemon: { ...object(holder), started: isNew } })
    : writeLines([
        [
          Line.raw("charlotte daemon "),
          ...(isNew ? [Line.raw("is ready", "good")] : [Line.raw("is up already", "strong")]),
          Line.raw(` (pid ${holder.process.pid}, version `),
          Line.piece(holder.version),
          Line.raw(")")
        ],
        ...where(holder)
      ])

const where = ({ addresses = [] }: Holder.Holder): ReadonlyArray<Line.Line> =>
  addresses.map((address) => [Line.raw("  on ", "faint"), Line.piece(Holder.show(address), "name")])

/** A daemon has ended; or there was none. */
export const down = (ended: Option.Option<Holder.Holder>, { json }: Manner) =>
  json
    ? asJson({ daemon: null, stopped: Option.match(ended, { onNone: () => null, onSome: object }) })
    : writeLines([
        Option.match(ended, {
          onNone: () => [Line.raw("no daemon is up")],
          onSome: ({ process }) => [Line.raw(`charlotte daemon has ended (pid ${process.pid})`)]
        })
      ])

export interface Status {
  readonly holder: Option.Option<Holder.Holder>
  readonly problems: ReadonlyArray<string>
  /** The path of the file. */
  readonly token: string
}

export const status = ({ holder, problems, token }: Status, { json }: Manner) => {
  if (json) {
    const daemon = Option.match(holder, { onNone: () => null, onSome: object })
    return asJson({ holder: daemon, ready: Option.isSome(holder) && problems.length === 0, problems })
  }
  if (Option.isNone(holder)) {
    return writeLines([[Line.raw("no daemon is up; start it with: charlotte daemon start")]])
  }
  const port = holder.value.addresses?.some((address) => "port" in address) === true
  return writeLines([
    [Line.piece(String(holder.value), "strong")],
    ...where(holder.value),
    ...(port ? [[Line.raw("  with the token in ", "faint"), Line.piece(token)]] : []),
    ...(problems.length === 0 ? [[Line.raw("  ready", "good")]] : []),
    ...problems.map((problem) => [Line.raw("  ! ", "warn"), Line.piece(problem)])
  ])
}
