/**
 * A database with all tables and nothing in them: made once, so that not every run has to.
 */
import { Effect, Layer } from "effect"
import * as RunStore from "../../src/store/RunStore.js"
import * as Database from "./Database.js"
import * as Life from "./Life.js"
import * as Machine from "./Machine.js"
import * as Random from "./Random.js"
import * as Timeline from "./Timeline.js"
import * as Trace from "./Trace.js"

export const make = (): Buffer => {
  const timeline = Timeline.make(0)
  const machine = Machine.make({
    random: Random.make(0),
    timeline,
    trace: Trace.make({ now: timeline.now, keep: 0 })
  })
  const database = Database.make(machine, { content: undefined, onCommitted: () => {} })
  const life = Life.make(machine, { pid: 1, bootId: "", isAlive: () => false, onKilled: () => {} })
  let content: Buffer | undefined
  life.fork(
    Effect.scoped(Layer.build(RunStore.layer.pipe(Layer.provide(database.client(life))))),
    () => (content = database.content())
  )
  while (content === undefined)
    if (life.isBusy()) life.step()
    else if (!timeline.leap()) throw new Error("the tables could not be made")
  database.close()
  return content
}
