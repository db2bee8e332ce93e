/**
 * pg-boss. Its own worker polls at most twice a second, and does not report when an end is recorded. So jobs are fetched and
 * completed here without delay, with the worker's calls: one at a time, as its workers do by default, or in batches.
 */
import PgBoss from "pg-boss"
import { number, text } from "../harness/Subject.js"
import { config, type Data, measure } from "./Peer.js"

const lanes = number("lanes")
const batchSize = number("batch")

await measure(async (jobs) => {
  const boss = new PgBoss({
    connectionString: text("url"),
    max: number("connections"),
    supervise: false,
    schedule: false
  })
  await boss.start()
  const queue = `bench-${process.pid}`
  await boss.createQueue(queue)

  let waiting = 0
  const work = async (): Promise<void> => {
    while (waiting > 0) {
      const found = await boss.fetch<Data>(queue, { batchSize })
      if (found.length === 0) return
      waiting -= found.length
      for (const { data } of found) jobs.running(data.key)
      await boss.complete(
        queue,
        found.map(({ id }) => id)
      )
      for (const { data } of found) jobs.ended(data.key)
    }
  }
  let working = 0
  const wake = (): void => {
    if (working >= lanes) return
    working += 1
    void work().finally(() => {
      working -= 1
      if (waiting > 0) wake()
    })
  }

  return {
    submit: async (data) => {
      await boss.send(queue, { ...config, ...data })
      waiting += 1
      wake()
    }
  }
})
