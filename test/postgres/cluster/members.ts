/**
 * The nodes of a cluster, each of which may end and be started again at its address, and what a follower on it sees through all of
 * its lives.
 */
import { JobId } from "charlotte"
import { Effect, Schema, type Scope } from "effect"
import { join } from "node:path"
import { poll } from "../../../src/internal/RealClock.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as Nodes from "./nodes.js"
import { Seen } from "./protocol.js"

export interface Member {
  readonly address: string
  /** The socket of its HTTP server, if it has one. */
  readonly http: string | undefined
  /** Its present life. */
  readonly node: () => Nodes.Node
  /** Begins its next life, and returns when it is a node again. */
  readonly restart: Effect.Effect<void, never, Scope.Scope>
  /** All events that its follower has seen. */
  readonly followed: Effect.Effect<ReadonlyArray<typeof Seen.Type>>
}

const Held = Schema.Array(
  Schema.Struct({ id: JobId.JobId, attempt: Schema.Int, address: Schema.optional(Schema.String) })
)

export const make = (
  url: string,
  directory: string,
  options: Nodes.Options = {}
): Effect.Effect<Member, never, Scope.Scope> =>
  Effect.gen(function* () {
    const address = options.address ?? `127.0.0.1:${yield* Nodes.freePort}`
    const all: Array<typeof Seen.Type> = []
    const cursor = () => Number(all.at(-1)?.line.split(" ", 1)[0] ?? 0)
    const begin = Effect.gen(function* () {
      const node = yield* Nodes.make(url, directory, { ...options, address })
      const follower = yield* Effect.orDie(node.ask(Schema.Int, { _tag: "Follow", after: cursor() }))
      let from = 0
      const more = Effect.suspend(() => node.ask(Schema.Array(Seen), { _tag: "Seen", follower, from })).pipe(
        Effect.map((seen) => {
          from += seen.length
          all.push(...seen)
        }),
        // What a node that was killed had seen since then is seen in its next life.
        Effect.ignore
      )
      return { node, more }
    })
    let life = yield* begin
    return {
      address,
      http: options.http,
      node: () => life.node,
      restart: Effect.map(begin, (next) => void (life = next)),
      followed: Effect.map(
        Effect.suspend(() => life.more),
        () => all
      )
    }
  })

/** Three of them. The options of one may be its own. */
export const three = (
  url: string,
  optionsOf: (name: "a" | "b" | "c", directory: string) => Nodes.Options & { readonly url?: string } = () => ({})
) =>
  Effect.gen(function* () {
    const directory = yield* TemporaryDirectory.make
    const one = (name: "a" | "b" | "c") => {
      const { url: own = url, ...options } = optionsOf(name, directory)
      return make(own, directory, options)
    }
    const [a, b, c] = yield* Effect.all([one("a"), one("b"), one("c")], { concurrency: 3 })
    return { a, b, c }
  })

/** Three with HTTP servers. */
export const threeServers = (url: string, maxJobs: number) =>
  three(url, (name, directory) => ({ maxJobs, http: join(directory, `${name}.socket`) }))

/** A job that does not end by itself, and has a child process. */
export const startSteady = ({ node }: Member) =>
  Effect.orDie(node().ask(JobId.JobId, { _tag: "Start", millis: 3_600_000, hasChild: true, whenFull: "queue" }))

/** The running jobs that a node has taken: the address of that node, and the attempt. */
export const taken = ({ node }: Member) =>
  Effect.map(
    Effect.orDie(node().ask(Held, { _tag: "Held" })),
    (held) =>
      new Map(
        held.flatMap(({ address, attempt, id }) => (address === undefined ? [] : [[id, { address, attempt }] as const]))
      )
  )

type Taken = Effect.Effect.Success<ReturnType<typeof taken>>

/** Waits until the running jobs are as they have to be. */
export const until = (member: Member, isSo: (taken: Taken) => boolean, atMost = 30_000) =>
  Effect.tap(poll(taken(member), { until: isSo, pause: 100, atMost }), (found) =>
    isSo(found)
      ? Effect.void
      : Effect.dieMessage(`the jobs have not become so in ${atMost} ms: ${JSON.stringify([...found])}`)
  )

/** So many steady jobs, spread over the nodes. */
export const startAll = (member: Member, count: number) =>
  Effect.gen(function* () {
    const ids = yield* Effect.replicateEffect(startSteady(member), count)
    const places = yield* until(member, (taken) => ids.every((id) => taken.has(id)))
    return { ids, places }
  })

/** Stops a job, from any node. */
export const stop = ({ node }: Member, id: JobId.JobId) => Nodes.stop(node(), id)
