/**
 * Three nodes, as seen by the first, which is this process: where jobs run, how soon events and stops reach another node, and how
 * soon the jobs of a lost node run elsewhere.
 */
import { RunStore } from "charlotte"
import { Chunk, Duration, Effect, Schema, Stream } from "effect"
import { readFileSync } from "node:fs"
import { percentile } from "../harness/Benchmark.js"
import { number, report, text } from "../harness/Subject.js"
import { held, nodeOf, pidFile, start, stopAll, taken, wall, Work } from "./clusterWork.js"
import { freshDatabase } from "./freshDatabase.js"
import { freeAddress, type NodeProcess, runNode, spawnNode } from "./nodeProcess.js"

/** The greatest difference between two nodes after 20 starts. */
const spread = (addresses: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    yield* start("wait", 20)
    const places = yield* taken(20)
    yield* stopAll
    const counts = addresses.map((own) => places.filter(({ address }) => address === own).length)
    return Math.max(...counts) - Math.min(...counts)
  })

const manyStarts = Effect.gen(function* () {
  const work = yield* Work
  const starts = yield* Effect.replicateEffect(Effect.option(work.start({ does: "wait" })), 300, {
    concurrency: "unbounded"
  })
  return starts.filter(({ _tag }) => _tag === "Some").length
})

/** By how many jobs the limit of 20 is missed when each node starts 300 at once. */
const overrun = (others: ReadonlyArray<NodeProcess>) =>
  Effect.gen(function* () {
    const { cluster } = yield* RunStore.RunStore
    yield* cluster.setLimit({ kind: Work.kind, maxJobs: 20 })
    const started = yield* Effect.all([manyStarts, ...others.map(({ ask }) => ask("start"))], {
      concurrency: "unbounded"
    })
    const running = (yield* held).length
    yield* stopAll
    yield* cluster.setLimit({ kind: Work.kind, maxJobs: 30 })
    return Math.max(Math.abs(started.reduce((sum, n) => sum + n, 0) - 20), Math.abs(running - 20))
  })

/** Starts three jobs, and returns the id of one on another node. */
const elsewhere = (does: "wait" | "tick", own: string) =>
  Effect.gen(function* () {
    yield* start(does, 3)
    const other = (yield* taken(3)).find(({ address }) => address !== own)
    return other === undefined ? yield* Effect.dieMessage("all jobs are on one node") : other.id
  })

const eventLatency = (own: string) =>
  Effect.gen(function* () {
    const work = yield* Work
    const id = yield* elsewhere("tick", own)
    const latencies = yield* work.events(id).pipe(
      Stream.filter(({ type }) => type === "tick"),
      Stream.mapEffect(({ payload }) =>
        Effect.map(Schema.decodeUnknown(Work.events.tick)(payload), ({ at }) => wall() - at)
      ),
      Stream.drop(50),
      Stream.take(number("events")),
      Stream.runCollect
    )
    yield* stopAll
    return Chunk.toReadonlyArray(latencies)
  })

const stopLatency = (own: string) =>
  Effect.gen(function* () {
    const work = yield* Work
    const id = yield* elsewhere("wait", own)
    const began = performance.now()
    yield* work.stop(id)
    const millis = performance.now() - began
    yield* stopAll
    return millis
  })

/** Whether the process is gone, or is a zombie. */
const isGone = (pid: string): boolean => {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return true
  }
}

const pidOf = (id: string): string => {
  try {
    return readFileSync(pidFile(id), "utf8").trim()
  } catch {
    return ""
  }
}

const millisUntil = (isSo: () => boolean) =>
  Effect.gen(function* () {
    const began = performance.now()
    while (!isSo()) yield* Effect.sleep(1)
    return performance.now() - began
  })

/** Milliseconds from the signal to a node until its jobs run elsewhere, and until their child processes are gone. */
const loss = (lost: NodeProcess, signal: NodeJS.Signals) =>
  Effect.gen(function* () {
    yield* start("child", 6)
    const ids = (yield* taken(6)).filter(({ address }) => address === lost.address).map(({ id }) => id)
    if (ids.length === 0) return yield* Effect.dieMessage("the node that is to be lost has no jobs")
    yield* millisUntil(() => ids.every((id) => pidOf(id) !== ""))
    const pids = ids.map(pidOf)
    yield* lost.kill(signal)
    const times = yield* Effect.all(
      {
        children: millisUntil(() => pids.every(isGone)),
        jobs: Effect.timed(taken(6, (address) => address !== lost.address))
      },
      { concurrency: 2 }
    )
    yield* stopAll
    return { children: times.children, jobs: Duration.toMillis(times.jobs[0]) }
  })

const median = (values: ReadonlyArray<number>) => percentile(values, 0.5)

const first = Effect.gen(function* () {
  const url = yield* freshDatabase(text("url"))
  const own = yield* freeAddress
  // Time for each node to get its share of the shards.
  const settled = Effect.sleep("3 seconds")
  const spawn = spawnNode({ url, root: text("root") })

  /** Signals one node after the other; each is replaced. */
  const losses = (others: ReadonlyArray<NodeProcess>, signal: NodeJS.Signals) =>
    Effect.gen(function* () {
      const nodes = [...others]
      const found = []
      for (let round = 0; round < number("losses"); round++) {
        const lost = nodes.shift()
        if (lost === undefined) break
        found.push(yield* loss(lost, signal))
        nodes.push(yield* spawn)
        yield* settled
      }
      return {
        nodes,
        jobs: median(found.map(({ jobs }) => jobs)),
        children: median(found.map(({ children }) => children))
      }
    })

  yield* Effect.gen(function* () {
    const others = yield* Effect.all([spawn, spawn], { concurrency: 2 })
    yield* settled
    const difference = yield* spread([own, ...others.map(({ address }) => address)])
    const beyond = yield* overrun(others)
    const events = yield* eventLatency(own)
    const stops = yield* Effect.replicateEffect(stopLatency(own), number("stops"))
    const killed = yield* losses(others, "SIGKILL")
    const closed = yield* losses(killed.nodes, "SIGTERM")
    report({
      spread: difference,
      beyond,
      eventP50: median(events),
      eventP95: percentile(events, 0.95),
      stopP50: median(stops),
      killed: killed.jobs / 1_000,
      children: killed.children,
      closed: closed.jobs / 1_000
    })
  }).pipe(Effect.scoped, Effect.provide(nodeOf(url, own)))
})

if (text("role") === "node") runNode(nodeOf(text("url"), text("address")), () => manyStarts)
else await Effect.runPromise(first)
