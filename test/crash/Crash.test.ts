import { describe, expect, it } from "@effect/vitest"
import { Database } from "charlotte"
import { Effect, Random } from "effect"
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import * as Audit from "./audit.js"
import * as Child from "./Child.js"
import * as Ledger from "./Ledger.js"
import * as State from "./State.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"

const kills = Number(process.env["CRASH_KILLS"] ?? 50)
const seed = process.env["CRASH_SEED"] ?? "charlotte"

/** So many kills in a row hit one database; then a new one begins, so that looking through it stays quick. */
const inARow = 10
const maxJobs = 5

/** Looks at a copy: the next process finds the file as the crash left it. */
const look = (filename: string) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const directory = mkdtempSync(`${filename}.copy-`)
      const copy = join(directory, "copy.db")
      for (const suffix of ["", "-wal", "-journal"]) {
        if (existsSync(filename + suffix)) copyFileSync(filename + suffix, copy + suffix)
      }
      return { directory, copy }
    }),
    ({ copy }) =>
      Effect.all({ wrong: Audit.violations({ maxJobs }), state: State.read }).pipe(
        Effect.provide(Database.layer({ filename: copy }))
      ),
    ({ directory }) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )

const begin = (program: string, filename: string, errand: "use" | "finish", ledger: Ledger.Ledger) =>
  Effect.flatMap(Random.nextInt, (seed) =>
    Child.run(program, [filename, String(maxJobs), String(seed), errand], ledger.note)
  )

/** One life of the child on that file, and its death at a random moment: while it recovers, works, or closes. */
const liveAndDie = (program: string, filename: string, ledger: Ledger.Ledger) =>
  Effect.gen(function* () {
    const child = yield* begin(program, filename, "use", ledger)
    const moment = yield* Random.nextIntBetween(0, 4)
    yield* child.told(moment === 0 ? "Opening" : "Recovered")
    yield* Effect.sleep(yield* Random.nextIntBetween(0, moment === 0 ? 40 : 250))
    if (moment === 1) {
      yield* child.signal("SIGTERM")
      yield* Effect.sleep(yield* Random.nextIntBetween(0, 25))
    }
    yield* child.signal("SIGKILL")
    const { code, log, signal } = yield* child.ended
    const isRight = signal === "SIGKILL" || (moment === 1 && code === 0)
    return {
      isReady: yield* child.told("Ready"),
      wrong: isRight && log === "" ? [] : [`the process ended with ${code ?? signal}, and said: ${log}`]
    }
  }).pipe(Effect.scoped)

/** A last life in which everything is stopped. */
const finish = (program: string, filename: string, ledger: Ledger.Ledger) =>
  Effect.gen(function* () {
    const { code, log, signal } = yield* Effect.flatMap(
      begin(program, filename, "finish", ledger),
      ({ ended }) => ended
    )
    return code === 0 && log === "" ? [] : [`the last process ended with ${code ?? signal}, and said: ${log}`]
  }).pipe(Effect.scoped)

describe("a manager that is killed at any moment", () => {
  it.scopedLive(
    "loses nothing that it has acknowledged, and the next one continues or ends what it left",
    () =>
      Effect.gen(function* () {
        const directory = yield* TemporaryDirectory.make
        const program = yield* Child.bundle(directory)
        const wrong: Array<string> = []
        const figures = { kills: 0, jobs: 0, events: 0, slowest: 0 }

        while (figures.kills < kills) {
          const filename = join(directory, `${figures.kills}.db`)
          const ledger = Ledger.make()
          let left = State.empty
          for (let life = 0; life < inARow && figures.kills < kills; life++, figures.kills++) {
            const death = yield* liveAndDie(program, filename, ledger)
            const found = yield* look(filename)
            wrong.push(...death.wrong, ...found.wrong, ...ledger.untrue(found.state))
            wrong.push(...Ledger.unrecovered(left, found.state, death.isReady))
            left = found.state
            if (wrong.length > 0) break
          }
          wrong.push(...(yield* finish(program, filename, ledger)))
          const { state, wrong: foundWrong } = yield* look(filename)
          wrong.push(...foundWrong, ...ledger.untrue(state), ...Ledger.unrecovered(left, state, true))
          wrong.push(...Ledger.unfinished(state))
          figures.jobs += state.runs.size
          figures.events += state.events.size
          figures.slowest = Math.max(figures.slowest, ledger.slowestStart())
          if (wrong.length > 0) break
        }

        yield* Effect.sync(() =>
          process.stdout.write(
            `crash: ${figures.kills} kills, ${figures.jobs} jobs, ${figures.events} events, ${wrong.length} violations, ` +
              `slowest recovery ${Math.round(figures.slowest)} ms (seed ${seed})\n`
          )
        )
        expect(wrong).toEqual([])
      }).pipe(Effect.withRandom(Random.make(seed))),
    30_000 + kills * 2_000
  )
})
