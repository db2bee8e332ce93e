/**
 * `charlotte daemon stop`: shuts the daemon down; its jobs resume with the next one.
 */
import { Effect } from "effect"
import * as Home from "../../daemon/Home.js"
import * as render from "./render.js"
import * as shutDown from "./shutDown.js"

export const stop = (manner: render.Manner) =>
  Effect.flatMap(shutDown.down, (ended) => render.down(ended, manner)).pipe(Effect.provide(Home.layerUntouched))
