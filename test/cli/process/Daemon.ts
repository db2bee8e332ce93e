/** A daemon that outlives the commands of a test, but not the test. */
import { expect } from "@effect/vitest"
import { Effect, Schedule, Schema, type Scope } from "effect"
import { readFileSync } from "node:fs"
import * as Charlotte from "./Charlotte.js"

const Started = Schema.parseJson(Schema.Struct({ daemon: Schema.Struct({ pid: Schema.Int, started: Schema.Boolean }) }))

export interface Daemon {
  readonly pid: number
  /** Whether it was started by this command. */
  readonly started: boolean
}

/** What a `daemon start --json` has said. */
export const read = ({ code, err, out }: Charlotte.Ended): Daemon => {
  expect([code, err]).toEqual([0, ""])
  return Schema.decodeSync(Started)(out).daemon
}

export const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Returns when the process is gone. */
export const gone = (pid: number) =>
  Effect.sync(() => isAlive(pid)).pipe(
    Effect.repeat({ until: (alive) => !alive, schedule: Schedule.spaced("10 millis") }),
    Effect.asVoid
  )

export const kill = (pid: number, signal: NodeJS.Signals) =>
  Effect.sync(() => {
    if (isAlive(pid)) process.kill(pid, signal)
  })

/** Starts one with that script, which ends in its options; whatever is left of it at the end is killed. */
export const up = (
  world: Charlotte.World,
  { script = "exec charlotte daemon start", ...options }: Charlotte.Options & { readonly script?: string } = {}
): Effect.Effect<Daemon, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.map(Charlotte.run(world, `${script} --json`, options), read), ({ pid }) =>
    Effect.zipRight(kill(pid, "SIGKILL"), gone(pid))
  )

/** Ends it as a user does, and sees that nothing is left. */
export const down = (world: Charlotte.World) =>
  Effect.gen(function* () {
    const { code, err, out } = yield* Charlotte.run(world, "exec charlotte daemon stop")
    expect([code, err]).toEqual([0, ""])
    expect(out).toMatch(/^charlotte daemon has exited \(pid \d+\)\n$/)
    expect(Charlotte.processes(world)).toEqual([])
  })

const Id = Schema.parseJson(Schema.Struct({ id: Schema.String }))

/** Hands the tasks of the world to it, and gives the id of the job. */
export const submit = (world: Charlotte.World, more = "") =>
  Effect.map(Charlotte.run(world, `exec charlotte start tasks --json ${more}`), ({ code, err, out }) => {
    expect([code, err]).toEqual([0, ""])
    return Schema.decodeSync(Id)(out).id
  })

/** The lines of its log. */
export const log = ({ home }: Charlotte.World): ReadonlyArray<{ readonly [field: string]: unknown }> =>
  readFileSync(`${home}/logs/daemon.log`, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => Schema.decodeSync(Line)(line))

const Line = Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
