/**
 * `charlotte daemon stop`: shuts the daemon down; its jobs resume with the next one. Unlike a restart, it ends sessions of the page.
 */
import { Effect } from "effect"
import * as Home from "../../daemon/home/Home.js"
import { endRecorded } from "../page/sessions.js"
import * as render from "./render.js"
import * as shutDown from "./shutDown.js"

export const stop = (manner: render.Manner) =>
  Effect.flatMap(Effect.zipLeft(shutDown.down, endRecorded), (ended) => render.down(ended, manner)).pipe(
    Effect.provide(Home.layerUntouched)
  )
