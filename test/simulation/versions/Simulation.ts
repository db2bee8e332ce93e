/**
 * Two versions of a kind on the nodes of a cluster, from one seed: each decodes jobs that the other cannot, and some that both can. Nodes
 * come, close and are killed, at each address with one version or the other. Then it is calm, with nodes of both versions: each job ends,
 * and none waits that a node with room may begin.
 */
import { Cause, Context, Effect, Exit, Layer, Option, Schema, Scope } from "effect"
import { Engine } from "../../../src/cluster/Engine.js"
import * as ClusterKind from "../../../src/cluster/JobKind.js"
import { RefusalTime } from "../../../src/cluster/refusals.js"
import { JobId } from "../../../src/domain/JobId.js"
import { MachineRef } from "../../../src/internal/Machine.js"
import * as JobKind from "../../../src/manager/JobKind.js"
import * as Network from "../cluster/Network.js"
import * as Store from "../cluster/Store.js"
import * as DatabaseModule from "../Database.js"
import { audit, reportOf } from "../ending.js"
import * as LifeModule from "../Life.js"
import * as Machine from "../Machine.js"
import { isObject, maybe, number, text } from "../rows.js"
import type { Report } from "../Simulation.js"

/** Virtual time begins here, in milliseconds. */
const start = 1_750_000_000_000

/** More than any run needs. */
const mostSteps = 300_000

/** Virtual milliseconds after which a job fails that no version has begun. */
const refusalTime = 20_000

/** More decodings of a job than nodes of one version need, however often they come and go. */
const mostDecodings = 150

/** Virtual milliseconds within which a node with room begins a job, in calm. */
const longestWait = 8_000

type Version = "old" | "next"
type Text = Version | "both"

const texts: readonly [Text, ...ReadonlyArray<Text>] = ["old", "next", "both"]

const config = (version: Version, decodes: (n: number, isSo: boolean) => boolean) =>
  Schema.Struct({ text: Schema.Literal(...texts), n: Schema.Number, millis: Schema.Number }).pipe(
    Schema.filter(({ n, text }) => decodes(n, text === version || text === "both"))
  )

interface Manager {
  readonly start: (config: Config) => Effect.Effect<JobId, unknown>
  readonly stop: (id: JobId) => Effect.Effect<unknown, unknown>
}

interface Config {
  readonly text: Text
  readonly n: number
  readonly millis: number
}

interface Node {
  readonly address: string
  readonly version: Version
  readonly capacity: number
  readonly life: LifeModule.Life
  readonly scope: Scope.CloseableScope
  manager?: Manager
  isClosing: boolean
}

interface Row {
  readonly id: string
  readonly status: string
  readonly isDue: boolean
  readonly refusedAt: number | undefined
  readonly node: string | null
  readonly text: Text
  /** Since when it is due. */
  readonly dueSince: number
}

const addresses = ["a:1", "b:1", "c:1", "d:1"]

const isEnded = (status: string) => /completed|failed|cancelled/.test(status)

export const run = (
  seed: number,
  options: { readonly content?: Buffer | undefined; readonly keep?: number } = {}
): Report => {
  const machine = Machine.ofSeed(seed, { start, keep: options.keep })
  const { nameOf, random, timeline, trace, violate } = machine
  const maxJobs = random.between(3, 8)
  trace.say(`seed ${seed}: ${maxJobs} jobs`)

  let steps = 0
  let isCalm = false
  let crashes = 0
  let pids = 1
  let cursor = 0
  let jobsStarted = 0
  const nodes = new Map<number, Node>()
  let rows = new Map<string, Row>()
  const decodings = new Map<string, number>()

  const database = DatabaseModule.make(machine, {
    content: options.content,
    onCommitted: (life) => {
      refresh()
      const events = database.query(
        "SELECT cursor, job_id FROM charlotte_events WHERE cursor > ? ORDER BY cursor",
        cursor
      )
      const last = events.at(-1)
      if (last === undefined) return
      cursor = number(last, "cursor")
      notices.send(life, [...new Set(events.map((row) => text(row, "job_id")))])
    }
  })
  const notices = Store.makeNotices(machine)
  const network = Network.make(machine, { hasDatabase: (life) => nodes.has(life.pid) })

  /** One version cannot decode a job: its nodes are not to try again and again. */
  const decodes = (version: Version) => (n: number, isSo: boolean) => {
    if (isSo) return true
    const tries = (decodings.get(`${n} ${version}`) ?? 0) + 1
    decodings.set(`${n} ${version}`, tries)
    if (tries === mostDecodings) violate(`the ${version} version has tried ${tries} times to decode number ${n}`)
    return false
  }
  class Old extends JobKind.Tag<Old>()("work", { config: config("old", decodes("old")), version: "old" }) {}
  class Next extends JobKind.Tag<Next>()("work", { config: config("next", decodes("next")), version: "next" }) {}

  /** A job fails only because no version has begun it in time, or because it was interrupted by crashes again and again. */
  const checkFailed = (row: Row | undefined, id: string, error: string | null) => {
    const failure: unknown = JSON.parse(error ?? "null")
    const reason = isObject(failure) ? maybe(failure, "error") : null
    if (reason?.startsWith("invalid job configuration") !== true) return
    const since = row?.refusedAt === undefined ? 0 : timeline.now() - row.refusedAt
    if (since < refusalTime)
      violate(`${nameOf(id)} has failed ${since} ms after it was refused, and ${refusalTime} are given`)
  }

  /** When an address had no room last, or all together. */
  const fullAt = new Map<string, number>()
  const noteFull = () => {
    const running = [...rows.values()].filter(({ status }) => status === "running")
    if (running.length >= maxJobs) fullAt.set("all", timeline.now())
    for (const { address, capacity } of nodes.values())
      if (running.filter(({ node }) => node === address).length >= capacity) fullAt.set(address, timeline.now())
  }

  /** Reads what was committed. */
  const refresh = () => {
    const found = new Map<string, Row>()
    for (const row of database.query(
      "SELECT id, status, waits_for, refused_at, node, config, error FROM charlotte_runs WHERE kind = 'work' ORDER BY id"
    )) {
      const id = text(row, "id")
      const known = rows.get(id)
      const status = text(row, "status")
      const isDue = maybe(row, "waits_for") === "permit"
      if (status === "failed" && known?.status !== "failed") checkFailed(known, id, maybe(row, "error"))
      const config: unknown = JSON.parse(text(row, "config"))
      const job = texts.find((one) => isObject(config) && config["text"] === one) ?? "both"
      found.set(id, {
        ...{ id, status, isDue, node: maybe(row, "node"), text: job },
        refusedAt: isObject(row) && row["refused_at"] !== null ? number(row, "refused_at") : undefined,
        dueSince: known?.isDue === true && isDue ? known.dueSince : timeline.now()
      })
    }
    const running = [...found.values()].filter(({ status }) => status === "running")
    if (running.length > maxJobs) violate(`${running.length} jobs are running, and ${maxJobs} may`)
    noteFull()
    rows = found
    noteFull()
  }

  const working = new Map<string, LifeModule.Life>()

  const work = (life: LifeModule.Life) => (job: { readonly id: JobId; readonly config: Config }) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        if (working.get(job.id)?.isAlive() === true) violate(`${nameOf(job.id)} runs twice at once`)
        working.set(job.id, life)
      }),
      () => Effect.sleep(job.config.millis),
      () => Effect.sync(() => void working.delete(job.id))
    )

  const end = ({ life }: Node) => life.kill()

  const boot = (address: string, version: Version) => {
    const life = LifeModule.make(
      { ...machine, wallClock: () => timeline.now() },
      {
        pid: pids++,
        bootId: `boot of ${address}`,
        makesWay: 0.005,
        isAlive: (pid) => nodes.has(pid),
        onKilled: (life) => {
          nodes.delete(life.pid)
          database.abandon(life)
        }
      }
    )
    const scope = Effect.runSync(Scope.make())
    const capacity = random.between(1, 3)
    const node: Node = { address, version, capacity, life, scope, isClosing: false }
    nodes.set(life.pid, node)
    trace.say(`${life.pid} boots at ${address}: the ${version} version, ${capacity} jobs`)
    const under = Layer.scoped(Engine, network.join(address, life)).pipe(
      Layer.provideMerge(Store.layer(notices, life)),
      Layer.provideMerge(database.client(life)),
      Layer.provideMerge(Layer.succeed(MachineRef, `machine of ${address}`)),
      Layer.provideMerge(Layer.succeed(RefusalTime, refusalTime)),
      Layer.provideMerge(Layer.succeedContext(life.references))
    )
    const settings = { maxJobs, capacity, stopGrace: 1_000, run: work(life) }
    const managing: Effect.Effect<Manager, unknown> =
      version === "old"
        ? Effect.map(
            Layer.buildWithScope(Layer.provide(ClusterKind.layerCluster(Old, settings), under), scope),
            (context): Manager => {
              const { start, stop } = Context.get(context, Old)
              return { start: (config) => start(config, { whenFull: "queue" }), stop }
            }
          )
        : Effect.map(
            Layer.buildWithScope(Layer.provide(ClusterKind.layerCluster(Next, settings), under), scope),
            (context): Manager => {
              const { start, stop } = Context.get(context, Next)
              return { start: (config) => start(config, { whenFull: "queue" }), stop }
            }
          )
    life.fork(managing, (exit) => {
      trace.say(`${life.pid} ${Exit.isSuccess(exit) ? "is a node" : `is not: ${Machine.firstLine(exit.cause)}`}`)
      if (Exit.isSuccess(exit)) {
        node.manager = exit.value
        return
      }
      const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
      if (!isObject(failure) || (failure["_tag"] !== "StoreError" && failure["_tag"] !== "NodeConflict"))
        violate(`no node came up at ${address}: ${Machine.firstLine(exit.cause)}`)
      end(node)
    })
  }

  const all = () => [...nodes.values()]
  const ready = () => all().filter(({ isClosing, manager }) => manager !== undefined && !isClosing)
  const pick = <A>(found: ReadonlyArray<A>): A | undefined => {
    const [first, ...rest] = found
    return first === undefined ? undefined : random.pick([first, ...rest])
  }
  const free = () => addresses.filter((address) => !all().some((node) => node.address === address))

  const join = (version: Version = random.pick(["old", "next"])) => {
    const address = pick(free())
    if (address !== undefined) boot(address, version)
  }

  const close = () => {
    const node = pick(ready())
    if (node === undefined) return
    node.isClosing = true
    trace.say(`${node.life.pid} closes`)
    node.life.fork(Scope.close(node.scope, Exit.void), () => end(node))
  }

  const crash = () => {
    const node = pick(all())
    if (node === undefined) return
    crashes += 1
    trace.say(`${node.life.pid} is killed`)
    end(node)
  }

  const startOne = (millis = random.between(0, 3_000)) => {
    const node = pick(ready())
    if (node === undefined) return
    const { life, manager, version } = node
    jobsStarted += 1
    const text = random.chance(0.3) ? "both" : version
    if (manager !== undefined) life.fork(manager.start({ text, n: jobsStarted, millis }))
  }

  const stop = () => {
    const node = pick(ready())
    const job = pick([...rows.values()].filter(({ status }) => !isEnded(status)))
    if (node?.manager === undefined || job === undefined) return
    node.life.fork(Effect.ignore(node.manager.stop(JobId.make(job.id))))
  }

  const goesOn = () => machine.violations.length === 0 && steps < mostSteps

  const step = () => {
    steps += 1
    const [first, ...rest] = all().flatMap(({ life }) => (life.isBusy() ? [life] : []))
    if (first !== undefined && (isCalm || !random.chance(0.002))) random.pick([first, ...rest]).step()
    else timeline.leap()
  }

  /** Lets so much time pass, and all that is to be done by then. */
  const pass = (millis: number) => {
    let isThere = false
    timeline.after(millis, () => (isThere = true))
    while (goesOn() && (!isThere || all().some(({ life }) => life.isBusy()))) step()
  }

  /** No job waits that a node with room may begin, and has had room for so long. */
  const checkRoom = () => {
    const now = timeline.now()
    for (const { dueSince, id, isDue, text } of rows.values()) {
      if (!isDue || now - Math.max(dueSince, fullAt.get("all") ?? 0) < longestWait) continue
      const able = ready().find(
        ({ address, version }) =>
          (text === "both" || text === version) && now - (fullAt.get(address) ?? 0) >= longestWait
      )
      if (able !== undefined) violate(`${nameOf(id)} waits, and ${able.address} has room for it`)
    }
  }

  const operations = {
    join: () => join(),
    crash,
    close,
    start: () => startOne(),
    rush: () => {
      for (let i = random.between(2, 6); i > 0; i--) startOne()
    },
    stop,
    network: () => network.setFaults(random.chance(0.4) ? Network.faultless : { ...Network.faulty, confusion: 0.05 })
  }
  const weights = () => ({
    join: ready().length < 2 ? 8 : 2,
    crash: 0.8,
    close: 0.8,
    start: 8,
    rush: 2,
    stop: 1.5,
    network: 0.5
  })

  join("old")
  join("next")
  for (let left = random.between(15, 40); left > 0 && goesOn(); left--) {
    operations[random.weighted(weights())]()
    pass(random.chance(0.6) ? random.between(0, 100) : random.between(0, 3_000))
  }

  trace.say("calm")
  isCalm = true
  network.setFaults(Network.faultless)
  for (let round = 0; round < 30 && goesOn(); round++) {
    for (const version of ["old", "next"] as const) if (!ready().some((node) => node.version === version)) join(version)
    pass(1_000)
  }
  // Some of them keep a node full for long, so that its share falls to another.
  for (let i = random.between(2, 6); i > 0; i--) startOne(random.pick([20_000, 2_000]))
  for (let round = 0; round < 120 && goesOn(); round++) {
    pass(1_000)
    checkRoom()
    if ([...rows.values()].every(({ status }) => isEnded(status))) break
  }
  if (goesOn()) {
    for (const { id, status } of rows.values())
      if (!isEnded(status)) violate(`${nameOf(id)} has not ended: it is ${status}`)
    audit(database, machine, maxJobs)
  }
  if (steps >= mostSteps) violate("it does not come to rest")

  const report = reportOf(database, machine, { seed, steps, crashes, jobs: rows.size })
  for (const node of all()) end(node)
  database.close()
  return report
}
