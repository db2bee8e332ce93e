/**
 * The output of the daemon commands.
 */
import { DateTime, Option } from "effect"
import { type DatabaseChoice, show } from "../../daemon/config/DatabaseChoice.js"
import * as LockOwner from "../../daemon/home/LockOwner.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import type { Up } from "./ensureRunning.js"

export interface Manner {
  readonly json: boolean
}

/** For `--json`. */
const object = ({
  addresses = [],
  database = "sqlite",
  node,
  page,
  process,
  since,
  version,
  what
}: LockOwner.LockOwner) => ({
  what,
  pid: process.pid,
  version,
  since: DateTime.formatIso(since),
  database,
  ...(node && { node: node.advertise }),
  addresses,
  ...(page && { page })
})

/** A daemon is running. */
export const up = ({ holder, isNew }: Up, { json }: Manner) =>
  json
    ? writeJson({ daemon: { ...object(holder), started: isNew } })
    : writeLines([
        [
          StyledLine.raw("charlotte daemon "),
          ...(isNew ? [StyledLine.raw("is ready", "good")] : [StyledLine.raw("is already running", "strong")]),
          StyledLine.raw(` (pid ${holder.process.pid}, version `),
          StyledLine.piece(holder.version),
          StyledLine.raw(")")
        ],
        ...where(holder)
      ])

const where = ({ addresses = [], database, node, page }: LockOwner.LockOwner): ReadonlyArray<StyledLine.Line> => [
  ...(database === undefined ? [] : [[StyledLine.raw("  database ", "faint"), StyledLine.piece(database, "name")]]),
  ...(node === undefined ? [] : [[StyledLine.raw("  node ", "faint"), StyledLine.piece(node.advertise, "name")]]),
  ...addresses.map((address) => [StyledLine.raw("  on ", "faint"), StyledLine.piece(LockOwner.show(address), "name")]),
  ...(page?.origin === undefined
    ? []
    : [[StyledLine.raw("  page on ", "faint"), StyledLine.piece(page.origin, "name")]]),
  ...(page?.problem === undefined ? [] : [[StyledLine.raw("  ! ", "warn"), StyledLine.piece(page.problem)]])
]

/** A daemon has exited; or none was running. */
export const down = (ended: Option.Option<LockOwner.LockOwner>, { json }: Manner) =>
  json
    ? writeJson({ daemon: null, stopped: Option.match(ended, { onNone: () => null, onSome: object }) })
    : writeLines([
        Option.match(ended, {
          onNone: () => [StyledLine.raw("no daemon is running")],
          onSome: ({ process }) => [StyledLine.raw(`charlotte daemon has exited (pid ${process.pid})`)]
        })
      ])

export interface Status {
  /** The database of the holder, or else of the next daemon; none if it is unknown. */
  readonly database: Option.Option<DatabaseChoice>
  readonly holder: Option.Option<LockOwner.LockOwner>
  readonly problems: ReadonlyArray<string>
  /** The path of the token file. */
  readonly token: string
}

export const status = ({ database, holder, problems, token }: Status, { json }: Manner) => {
  if (json) {
    const daemon = Option.match(holder, { onNone: () => null, onSome: object })
    const isReady = Option.isSome(holder) && problems.length === 0
    return writeJson({
      holder: daemon,
      database: Option.getOrNull(Option.map(database, show)),
      ready: isReady,
      problems
    })
  }
  if (Option.isNone(holder)) {
    const where = Option.filterMap(database, (choice) =>
      choice._tag === "Postgres" ? Option.some(`, and the jobs are in ${choice.shown}`) : Option.none()
    )
    return writeLines([
      [
        StyledLine.raw("no daemon is running"),
        StyledLine.piece(Option.getOrElse(where, () => "")),
        StyledLine.raw("; start it with: charlotte daemon start")
      ]
    ])
  }
  const port = holder.value.addresses?.some((address) => "port" in address && address.url === undefined) === true
  return writeLines([
    [StyledLine.piece(String(holder.value), "strong")],
    ...where(holder.value),
    ...(port ? [[StyledLine.raw("  token in ", "faint"), StyledLine.piece(token)]] : []),
    ...(problems.length === 0 ? [[StyledLine.raw("  ready", "good")]] : []),
    ...problems.map((problem) => [StyledLine.raw("  ! ", "warn"), StyledLine.piece(problem)])
  ])
}
