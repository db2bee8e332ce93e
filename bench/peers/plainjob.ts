/**
 * plainjob, on a better-sqlite3 of the same version. It sets `synchronous` to NORMAL itself; its worker polls as often as a
 * timer can.
 */
import Database from "better-sqlite3"
import { better, defineQueue, defineWorker } from "plainjob"
import { text } from "../harness/Subject.js"
import { config, type Data, measure } from "./Peer.js"

const silent = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined }

await measure(async (jobs) => {
  const queue = defineQueue({ connection: better(new Database(text("file"))), logger: silent })
  const keys = new Map<number, number>()
  const worker = defineWorker(
    "job",
    ({ data, id }) => {
      const { key }: Data = JSON.parse(data)
      keys.set(id, key)
      jobs.running(key)
    },
    {
      queue,
      logger: silent,
      pollIntervall: 1,
      onCompleted: ({ id }) => {
        jobs.ended(keys.get(id) ?? 0)
        keys.delete(id)
      }
    }
  )
  void worker.start()
  return {
    submit: async (data) => queue.add("job", { ...config, ...data })
  }
})
