/**
 * `charlotte subscribers retry` and `charlotte subscribers remove`.
 */
import { Effect } from "effect"
import * as Home from "../../daemon/home/Home.js"
import * as format from "../../progress/format.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import * as Subscribers from "./Subscribers.js"

interface Options {
  readonly name: string
  readonly json: boolean
}

const done = (text: string) => writeLines([[StyledLine.raw("✓ ", "good"), StyledLine.piece(text)]])

export const retrySubscriber = ({ json, name }: Options) =>
  Effect.flatMap(Subscribers.retry(name), (retried) =>
    json
      ? writeJson({ name, retried })
      : done(
          retried === 0
            ? `no event of ${name} was put aside`
            : `${format.count(retried, "event")} of ${name} ${retried === 1 ? "is" : "are"} handled again`
        )
  ).pipe(Effect.provide(Home.layerUntouched))

export const removeSubscriber = ({ json, name }: Options) =>
  Effect.zipRight(
    Subscribers.remove(name),
    json ? writeJson({ name, removed: true }) : done(`the subscriber ${name} is removed`)
  ).pipe(Effect.provide(Home.layerUntouched))
