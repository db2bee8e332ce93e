/**
 * A process that is killed, with points at which it kills itself. It is told one with its first argument, or by a line on its
 * standard input, such as `after git update-ref`. It tells when it is ready, and each point that it comes to for the first time.
 */
import { Effect, Layer, Logger } from "effect"
import { writeSync } from "node:fs"
import { createInterface } from "node:readline"
import { Failpoint, type Service } from "../../src/internal/Failpoint.js"
import * as Points from "./Points.js"

/** Past every buffer of the process: what it has told, its parent knows. */
export const tell = (line: string): void => void writeSync(1, `${line}\n`)

let armed = process.argv[2] ?? ""
const seen = new Set<string>()

export const pass = (side: Points.Side, names: ReadonlyArray<string>): void => {
  for (const name of names.map(Points.name)) {
    const point = `${side} ${name}`
    if (point === armed) {
      tell(`killed ${point}`)
      process.kill(process.pid, "SIGKILL")
    }
    if (seen.has(point)) continue
    seen.add(point)
    tell(`passed ${point}`)
  }
}

const failpoint: Service = {
  around: (names, effect) =>
    Effect.suspend(() => {
      pass("before", names())
      return Effect.tap(effect, () => Effect.sync(() => pass("after", names())))
    })
}

const log = Logger.replace(
  Logger.defaultLogger,
  Logger.stringLogger.pipe(Logger.map((line) => void writeSync(2, `${line}\n`)))
)

export const layer = Layer.merge(Layer.succeed(Failpoint, failpoint), log)

createInterface({ input: process.stdin }).on("line", (line) => {
  armed = line
})
// It is no reason to stay.
if ("unref" in process.stdin && typeof process.stdin.unref === "function") process.stdin.unref()
