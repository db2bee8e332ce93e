/**
 * A node in a process of its own: the URL of the database, its address, and its timing, in milliseconds. It says how many jobs of the
 * conformance suite have a shard that it has, and at what time, whenever that changes and after each pause of its process.
 */
import { Effect } from "effect"
import { performance } from "node:perf_hooks"
import { Engine } from "../../src/cluster/Engine.js"
import { ids, willing } from "../cluster/engine/scene.js"
import { engineAt } from "./engineAt.js"

const [url = "", address = "", ...timing] = process.argv.slice(2)
const [expiration = 10_000, refresh = 3_000, assignment = 1_000] = timing.map(Number)

const interval = 20
const pause = 500

const main = Effect.gen(function* () {
  const engine = yield* Engine
  yield* engine.serve("email", willing)
  let [before, at] = [-1, performance.now()]
  return yield* Effect.sync(() => {
    const [now, count] = [performance.now(), ids.filter(engine.hasShard).length]
    if (count !== before || now - at > pause) process.stdout.write(`${count} ${performance.timeOrigin + now}\n`)
    ;[before, at] = [count, now]
  }).pipe(Effect.delay(interval), Effect.forever)
}).pipe(Effect.scoped, Effect.provide(engineAt(url, { address, timing: { expiration, refresh, assignment } })))

void Effect.runPromise(main)
