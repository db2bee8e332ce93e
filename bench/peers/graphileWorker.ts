/**
 * graphile-worker, with workers in this process that are notified of jobs through LISTEN, and with the batch settings that its
 * manual recommends. It has no event for a recorded end, so the statement that records it is watched.
 */
import { Logger, run } from "graphile-worker"
import { Pool, type QueryConfig } from "pg"
import { number, text } from "../harness/Subject.js"
import { config, type Data, measure } from "./Peer.js"

const silent = () => () => undefined

await measure(async (jobs) => {
  const keys = new Map<string, number>()
  const recorded = (id: string): void => {
    const key = keys.get(id)
    if (keys.delete(id) && key !== undefined) jobs.ended(key)
  }

  const pool = new Pool({ connectionString: text("url"), max: number("connections") })
  pool.on("error", () => undefined)
  pool.on("connect", (client) => {
    const query = client.query.bind(client)
    const watched = (statement: string | QueryConfig<Array<unknown>>, values?: Array<unknown>) => {
      const answer = query(statement, values)
      if (typeof statement === "string" || !statement.text.startsWith("delete from")) return answer
      const [ids] = statement.values ?? []
      return answer.then((result) => {
        for (const id of Array.isArray(ids) ? ids : [ids]) recorded(String(id))
        return result
      })
    }
    Object.assign(client, { query: watched })
  })

  const concurrency = number("concurrency")
  const runner = await run<Data>({
    pgPool: pool,
    noHandleSignals: true,
    logger: new Logger(silent),
    preset: {
      worker: {
        concurrentJobs: concurrency,
        completeJobBatchDelay: number("batch"),
        ...(number("queue") > 0 ? { localQueue: { size: number("queue") } } : {})
      }
    },
    taskList: {
      job: (data, { job }) => {
        keys.set(job.id, data.key)
        jobs.running(data.key)
      }
    }
  })
  return {
    submit: (data) => runner.addJob("job", { ...config, ...data })
  }
})
