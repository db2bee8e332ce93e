/**
 * So many kills, in one world after another, some worlds at the same time.
 */
import { Effect, Random } from "effect"
import { bundle } from "../support/bundle.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { fileURLToPath } from "node:url"
import * as Agenda from "./Agenda.js"
import * as Campaign from "./Campaign.js"
import * as Points from "./Points.js"

export interface Options {
  readonly kills: number
  readonly seed: string
  /** Worlds at the same time. */
  readonly worlds: number
  /** Told of each that is over. */
  readonly onWorld?: (line: string) => void
}

export interface Figures {
  readonly kills: number
  readonly live: number
  readonly slowest: number
  readonly jobs: number
  readonly completed: number
  readonly events: number
  /** What was found, with the seed and the kills of its world. */
  readonly violations: ReadonlyArray<string>
  readonly points: number
  readonly leastHits: number
  /** Points that were not hit often enough. */
  readonly lacking: ReadonlyArray<string>
  /** Points that are not in the list. */
  readonly unknown: ReadonlyArray<string>
}

/** So many kills hit one world; then a new one begins, so that looking through it stays quick. */
const inARow = 20

/** So many kills are enough for each point to be hit often enough. */
export const enough = 200

export const run = ({ kills, onWorld = () => {}, seed, worlds }: Options): Effect.Effect<Figures> =>
  Effect.gen(function* () {
    const directory = yield* TemporaryDirectory.make
    const program = yield* bundle(directory, fileURLToPath(new URL("daemon.ts", import.meta.url)))
    const agenda = Agenda.make(Points)
    const total = { kills: 0, live: 0, slowest: 0, jobs: 0, completed: 0, events: 0 }
    const violations: Array<string> = []
    const figures = (): Figures => {
      const { least, points } = agenda.figures()
      return { ...total, violations, points, leastHits: least, lacking: agenda.lacking(), unknown: agenda.unknown() }
    }

    const sizes = Array.from({ length: Math.ceil(kills / inARow) }, (_, n) => Math.min(inARow, kills - n * inARow))
    const one = (size: number, n: number) =>
      Effect.gen(function* () {
        // A seed with a number is that of one world.
        const name = n === 0 && seed.includes("/") ? seed : `${seed}/${n}`
        const { story, wrong, ...outcome } = yield* Effect.withRandom(
          Campaign.run({ program, agenda, kills: size }),
          Random.make(name)
        )
        for (const key of ["kills", "live", "jobs", "completed", "events"] as const) total[key] += outcome[key]
        total.slowest = Math.max(total.slowest, outcome.slowest)
        violations.push(...wrong.map((text) => `${name}, killed at ${story.slice(-3).join(", ")}: ${text}`))
        for (const text of [...wrong, line(figures(), seed)]) onWorld(text)
      })
    yield* Effect.forEach(sizes, one, { concurrency: worlds, discard: true })
    // A point that was not passed in time is tried again.
    for (let n = sizes.length; kills >= enough && n < 2 * sizes.length && agenda.isDue(); n++) yield* one(5, n)
    for (const text of agenda.lacking()) onWorld(text)
    return figures()
  }).pipe(Effect.scoped)

export const line = (figures: Figures, seed: string): string =>
  `crash: ${figures.kills} kills, ${figures.violations.length} violations, slowest recovery ${Math.round(figures.slowest)} ms, ` +
  `${figures.live} with live agents, each of ${figures.points} points hit ${figures.leastHits} times or more; ` +
  `${figures.jobs} jobs (${figures.completed} completed), ${figures.events} events (seed ${seed})`
