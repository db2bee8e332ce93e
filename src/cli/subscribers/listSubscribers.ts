/**
 * `charlotte subscribers list`: a table, and the events that were not handled.
 */
import { DateTime, Effect, Schema } from "effect"
import * as Home from "../../daemon/home/Home.js"
import { Subscriber } from "../../domain/Subscriber.js"
import * as format from "../../progress/format.js"
import { columns, writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as Table from "../terminal/Table.js"
import * as Subscribers from "./Subscribers.js"

const encode = Schema.encodeSync(Schema.Array(Subscriber))

export const listSubscribers = ({ json }: { readonly json: boolean }) =>
  Effect.gen(function* () {
    const all = yield* Subscribers.list
    if (json) return yield* writeJson(encode(all))
    if (all.length === 0) return yield* writeLines([[StyledLine.raw("no subscribers")]])
    const now = yield* DateTime.now
    yield* writeLines([...table(all, now, yield* columns), ...all.flatMap(undelivered)])
  }).pipe(Effect.provide(Home.layerUntouched))

const numbers =
  (title: string, of: (subscriber: Subscriber) => number, style: StyledLine.Style = "plain") =>
  (all: ReadonlyArray<Subscriber>): Table.Column => ({
    title,
    align: "right",
    cells: all.map((subscriber) => StyledLine.raw(String(of(subscriber)), of(subscriber) === 0 ? "plain" : style))
  })

const table = (all: ReadonlyArray<Subscriber>, now: DateTime.Utc, room: number): ReadonlyArray<StyledLine.Line> => [
  ...Table.render(
    [
      { title: "NAME", cells: all.map(({ name }) => StyledLine.piece(name, "strong")) },
      {
        title: "EVENTS",
        least: 8,
        rank: 1,
        cells: all.map(({ kinds = ["all kinds"], types = ["all types"] }) =>
          StyledLine.piece(`${kinds.join(", ")}: ${types.join(", ")}`)
        )
      },
      numbers("BEHIND", ({ behind }) => behind)(all),
      numbers("FAILING", ({ failing }) => failing, "warn")(all),
      numbers("ASIDE", ({ aside }) => aside, "bad")(all),
      numbers("SKIPPED", ({ skipped }) => skipped, "warn")(all),
      {
        title: "MOVED",
        rank: 2,
        cells: all.map(({ movedAt }) =>
          StyledLine.raw(`${format.age(DateTime.toEpochMillis(now) - DateTime.toEpochMillis(movedAt))} ago`)
        )
      }
    ],
    room
  )
]

const undelivered = ({ aside, failing, gap, name, undelivered }: Subscriber): ReadonlyArray<StyledLine.Line> => [
  ...(gap === undefined
    ? []
    : [[StyledLine.piece(`${name} has missed events ${gap.from} to ${gap.to}: their jobs were pruned`, "warn")]]),
  ...undelivered.map(({ cursor, error, isAside, jobId, type }) => [
    StyledLine.raw(isAside ? "put aside " : "failing ", isAside ? "bad" : "warn"),
    StyledLine.piece(`${name}: ${type} of ${jobId} (event ${cursor}): ${error.split("\n", 1)[0] ?? ""}`)
  ]),
  ...(failing + aside > undelivered.length
    ? [[StyledLine.raw(`and ${failing + aside - undelivered.length} more of ${name}`, "faint")]]
    : []),
  ...(aside === 0 ? [] : [[StyledLine.piece(`handle them again with: charlotte subscribers retry ${name}`, "faint")]])
]
