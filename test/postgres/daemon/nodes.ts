/**
 * Daemons that are nodes of a cluster: each has a home of its own, and all have one database and one repository.
 */
import { expect } from "@effect/vitest"
import { Effect, Schedule, Schema, type Scope } from "effect"
import type * as Charlotte from "../../cli/process/Charlotte.js"
import * as Daemon from "../../cli/process/Daemon.js"
import { freePort } from "../cluster/nodes.js"
import { command, type World, world as makeWorld } from "./daemon.js"

export interface Node extends World {
  readonly address: string
  readonly pid: number
}

/** The same world with a home of its own. */
export const home = (world: World, name: string): World => {
  const home = `${world.root}/${name}`
  return { ...world, home, variables: { ...world.variables, CHARLOTTE_HOME: home, CHARLOTTE_DATABASE: world.url } }
}

export const freeAddress = Effect.map(freePort, (port) => `127.0.0.1:${port}`)

/** The command that starts a node. */
export const starting = (address: string, options = "--shared-repositories") =>
  `exec charlotte daemon start --advertise ${address} ${options}`

/** A daemon of that name. */
export const start = (world: World, name: string, options?: string): Effect.Effect<Node, never, Scope.Scope> =>
  Effect.gen(function* () {
    const own = home(world, name)
    const address = yield* freeAddress
    const { pid } = yield* Daemon.up(own, { script: starting(address, options) })
    return { ...own, address, pid }
  })

const Status = Schema.parseJson(
  Schema.Struct({
    active: Schema.Int,
    limit: Schema.NullOr(Schema.Int),
    nodes: Schema.Array(
      Schema.Struct({
        address: Schema.String,
        state: Schema.String,
        running: Schema.Int,
        capacity: Schema.Int,
        machine: Schema.String,
        pid: Schema.Int
      })
    )
  })
)

/** What `charlotte cluster status` says. */
export const status = (world: Charlotte.World) =>
  Effect.map(command(world, "cluster status --json"), ({ err, out }) => {
    expect(err).toBe("")
    return Schema.decodeSync(Status)(out)
  })

/** Asks until it is so. */
export const until = <A, E, R>(check: Effect.Effect<A, E, R>, isSo: (found: A) => boolean): Effect.Effect<void, E, R> =>
  Effect.asVoid(Effect.repeat(check, { until: isSo, schedule: Schedule.spaced("200 millis") }))

/** Two nodes, which both have their shares. */
export const two = (files: (root: string) => Readonly<Record<string, string>>, options?: string) =>
  Effect.gen(function* () {
    const world = yield* makeWorld(files)
    const a = yield* start(world, "a", options)
    const b = yield* start(world, "b", options)
    return { world, a, b }
  })

/** The node that runs the one job, and the other one. */
export const placed = ({ a, b }: { readonly a: Node; readonly b: Node }) =>
  Effect.map(status(a), ({ nodes }) => {
    const running = nodes.find(({ running }) => running === 1)?.address
    expect([a.address, b.address]).toContain(running)
    return running === a.address ? { owner: a, other: b } : { owner: b, other: a }
  })

const Line = Schema.parseJson(
  Schema.Struct({
    type: Schema.optional(Schema.String),
    seq: Schema.optional(Schema.Int),
    at: Schema.optional(Schema.String)
  })
)

/** The events that `charlotte watch --json` has shown, which are those of the job without a gap. */
export const whole = (out: string) => {
  const events = out
    .trim()
    .split("\n")
    .map((line) => Schema.decodeSync(Line)(line))
    .filter(({ seq }) => seq !== undefined)
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
  return events
}
