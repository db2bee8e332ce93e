/**
 * A bare Node server that writes the same frames to each client, and records nothing.
 */
import { createServer, type ServerResponse } from "node:http"
import { number, report, text } from "../harness/Subject.js"
import { clients, found, isServer } from "./beside.js"
import { readers } from "./readers.js"

const socket = `${text("root")}/socket`
const events = number("events")
const jobId = "01JD0000000000000000000000"

const frame = (n: number): string => {
  const payload = { n, text: "as long as a line" }
  const event = { jobId, seq: n, cursor: n, at: new Date().toISOString(), type: "bench.tick", payload }
  return `id: ${n}\ndata: ${JSON.stringify(event)}\n\n`
}

const serve = async () => {
  const open: Array<ServerResponse> = []
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" })
    response.write(": open\n\n")
    open.push(response)
  }).listen(socket)
  await new Promise((resolve) => server.once("listening", resolve))

  /** One event per turn of the event loop, at the pace of the slowest client. */
  const write = async () => {
    for (let n = 1; n <= events; n++) {
      const text = frame(n)
      const full = open.filter((response) => !response.write(text))
      await new Promise((resolve) => setImmediate(resolve))
      await Promise.all(
        full.map((response) => response.writableNeedDrain && new Promise((resolve) => response.once("drain", resolve)))
      )
    }
  }
  report(await clients(import.meta.url, () => void write()))
  process.exit(0)
}

if (isServer) await serve()
else {
  const count = number("clients")
  const millis = await readers(socket, "/events", count, events)
  found({ perSecond: ((count * events) / millis) * 1_000 })
}
