/**
 * What the commands of the daemon say.
 */
import { DateTime, Effect } from "effect"
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
