/**
 * BullMQ, with a worker in this process. The worker's own event reports the end of a job as soon as Redis has recorded it;
 * `waitUntilFinished` would take another round trip.
 */
import { Queue, Worker } from "bullmq"
import { number } from "../harness/Subject.js"
import { config, type Data, measure, tellsNow } from "./Peer.js"

const connection = { host: "127.0.0.1", port: number("port"), maxRetriesPerRequest: null }

const untilTold = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) =>
    signal.addEventListener("abort", () => {
      tellsNow()
      reject(new Error("cancelled"))
    })
  )

await measure(async (jobs) => {
  const queue = new Queue<Data>(`bench-${process.pid}`, { connection })
  const ids = new Map<number, string>()
  const worker = new Worker<Data>(
    queue.name,
    async ({ data, id }, _token, signal) => {
      jobs.running(data.key)
      if (!data.idle || signal === undefined) return
      ids.set(data.key, id)
      await untilTold(signal)
    },
    { connection, concurrency: number("concurrency") }
  )
  worker.on("completed", ({ data }) => jobs.ended(data.key))
  worker.on("failed", (job) => job !== undefined && jobs.ended(job.data.key))
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()])
  return {
    submit: (data) => queue.add("job", { ...config, ...data }),
    cancel: (key) => worker.cancelJob(ids.get(key) ?? "")
  }
})
