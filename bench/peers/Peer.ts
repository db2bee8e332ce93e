/**
 * Measures a peer like Charlotte's own subjects: the same closed loop, and the same job every 10 milliseconds.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { percentile } from "../harness/Benchmark.js"
import { type Figures, number, report, stopwatch, text } from "../harness/Subject.js"
import { type Job, type Jobs, make } from "./Jobs.js"

/** The data of each job, beside its number. */
export const config = { repoPath: "/any/repository", tasksDir: "tasks", targetBranch: "main" }

export interface Data {
  readonly key: number
  /** Whether the job runs until it is cancelled. */
  readonly idle: boolean
}

export interface Peer {
  /** Returns when the job has been accepted. */
  readonly submit: (data: Data) => Promise<unknown>
  /** Cancels a running job. */
  readonly cancel?: (key: number) => unknown
}

interface Peered extends Peer {
  readonly start: (idle?: boolean) => Promise<readonly [key: number, job: Job]>
}

const loop = async (peer: Peered, until: number): Promise<number> => {
  let count = 0
  while (performance.now() < until) {
    const [, job] = await peer.start()
    await job.ended
    count += 1
  }
  return count
}

const closedLoop = async (peer: Peered): Promise<Figures> => {
  const all = async (millis: number) => {
    const until = performance.now() + millis
    const counts = await Promise.all(Array.from({ length: number("callers") }, () => loop(peer, until)))
    return counts.reduce((sum, count) => sum + count, 0)
  }
  await all(number("warmUp"))
  const read = stopwatch()
  return read(await all(number("millis")))
}

const times = async <A>(count: number, one: () => Promise<A>): Promise<ReadonlyArray<A>> => {
  const all: Array<A> = []
  for (let n = 0; n < count; n++) all.push(await one())
  return all
}

/** Repeats it without rest, so that V8 has optimised the code. */
const warmUp = async (one: () => Promise<unknown>) => {
  for (const until = performance.now() + number("warmUp"); performance.now() < until;) await one()
}

const startLatency = async (peer: Peered): Promise<Figures> => {
  const one = async () => {
    const called = performance.now()
    const [, job] = await peer.start()
    const running = await job.running
    await job.ended
    await sleep(10)
    return running - called
  }
  await warmUp(async () => {
    const [, job] = await peer.start()
    await job.ended
  })
  await times(50, one)
  const latencies = await times(number("jobs"), one)
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) }
}

/** From the call until the job is notified, and until its end is recorded. */
const stopLatency =
  (told: () => number) =>
  async (peer: Peered): Promise<Figures> => {
    const one = async () => {
      const [key, job] = await peer.start(true)
      await job.running
      if (number("rest") > 0) await sleep(number("rest"))
      const called = performance.now()
      peer.cancel?.(key)
      const ended = await job.ended
      return { told: told() - called, recorded: ended - called }
    }
    await warmUp(async () => {
      const [key, job] = await peer.start(true)
      await job.running
      peer.cancel?.(key)
      await job.ended
    })
    await times(50, one)
    const latencies = await times(number("jobs"), one)
    const median = (pick: (latency: { readonly told: number; readonly recorded: number }) => number) =>
      percentile(latencies.map(pick), 0.5)
    return { told: median(({ told }) => told), recorded: median(({ recorded }) => recorded) }
  }

/** When a job was last notified of its cancellation. */
let told = 0
export const tellsNow = (): void => {
  told = performance.now()
}

const measures: { readonly [what: string]: (peer: Peered) => Promise<Figures> } = {
  lifecycle: closedLoop,
  start: startLatency,
  stop: stopLatency(() => told)
}

/** Runs the measurement that the parameters name. */
export const measure = async (open: (jobs: Jobs) => Promise<Peer>): Promise<void> => {
  const jobs = make()
  const peer = await open(jobs)
  const start: Peered["start"] = async (idle = false) => {
    const [key, job] = jobs.add()
    await peer.submit({ key, idle })
    return [key, job]
  }
  const of = measures[text("what")]
  if (of === undefined) throw new Error(`there is no ${text("what")} to measure`)
  report(await of({ ...peer, start }))
  // The shutdown is not measured.
  process.exit(0)
}
