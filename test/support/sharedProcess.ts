/**
 * Before each file of a tier whose files share processes: makes up for what a file before may have left.
 *
 * `layer` of @effect/vitest replaces methods of the one `it` for good, without test services where it excludes them. And large buffers stay
 * until V8 collects them, while each process that is started pays for them: at 300 MB 9 ms of system time, at 50 MB 1 ms.
 */
import { effect, it, layer, prop, scoped } from "@effect/vitest"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

Object.assign(it, { effect, layer, prop, scoped })

if (process.memoryUsage.rss() > 300 * 1024 * 1024) {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc()")
}
