/** What executions cost that are suspended: memory of the process, and processor time of the next one. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { bundle } from "../support/bundle.js"
import { figures } from "../support/figures.js"
import { isLong } from "../support/long.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"

const executions = isLong ? 10_000 : 1_000

const Figures = Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Number }))

/** Bundles a subject of the benchmark, and returns what runs it in a fresh process. */
const subject = (name: string) =>
  Effect.gen(function* () {
    const directory = yield* TemporaryDirectory.make
    const program = yield* bundle(directory, fileURLToPath(new URL(`../../bench/subjects/${name}.ts`, import.meta.url)))
    return (parameters: object) =>
      Effect.flatMap(
        Effect.promise(() =>
          promisify(execFile)(process.execPath, ["--expose-gc", program, JSON.stringify(parameters)])
        ),
        ({ stdout }) => Schema.decode(Figures)(stdout.trim().split("\n").at(-1) ?? "")
      )
  })

describe("executions that are suspended", () => {
  it.scopedLive(
    `cost a restart hardly more processor time for ${executions} than for 100${isLong ? ", and hold no memory" : ""}`,
    () =>
      Effect.gen(function* () {
        const directory = yield* TemporaryDirectory.make
        const [fill, restart] = yield* Effect.all([subject("suspended"), subject("restart")])
        const database = (executions: number) => ({ file: `${directory}/${executions}.db`, synchronous: "NORMAL" })
        yield* fill({ executions: 100, ...database(100) })
        const { kilobytes } = yield* fill({ executions, ...database(executions) })

        /** The least of some, in turns: other programs only add to it. */
        let [few, many] = [Infinity, Infinity]
        for (let turn = 0; turn < 5; turn++) {
          few = Math.min(few, (yield* restart(database(100)))["cpuMillis"] ?? Number.NaN)
          many = Math.min(many, (yield* restart(database(executions)))["cpuMillis"] ?? Number.NaN)
        }
        figures(`suspended: ${executions} of ${kilobytes} KB each, restart ${many} ms, with 100 ${few} ms`)
        // Fewer are lost in what else happens in a heap.
        if (isLong) expect(kilobytes).toBeLessThan(0.3)
        expect(many / few).toBeLessThan(isLong ? 1.3 : 2)
      }),
    isLong ? 3_600_000 : 600_000
  )
})
