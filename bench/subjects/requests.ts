/**
 * Clients in a closed loop with as little HTTP as possible: each sends the same request, and again when the response is complete.
 */
import { connect } from "node:net"
import { stopwatch } from "../harness/Subject.js"

const end = Buffer.from("\r\n\r\n")

/** The size of the response in bytes; undefined until its head is complete. */
const sizeOf = (answer: Buffer): number | undefined => {
  const head = answer.indexOf(end)
  if (head < 0) return undefined
  const text = answer.toString("latin1", 0, head)
  if (!/^HTTP\/1\.1 20[01] /.test(text)) throw new Error(answer.toString())
  return head + end.length + Number(/content-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN)
}

/** Sends requests until the deadline, and returns the number of responses. */
const client = (socket: string, request: Buffer, until: number): Promise<number> =>
  new Promise((resolve, reject) => {
    let count = 0
    let answer = Buffer.alloc(0)
    const connection = connect(socket, () => connection.write(request))
    connection.on("error", reject)
    connection.on("data", (piece) => {
      answer = answer.length === 0 ? piece : Buffer.concat([answer, piece])
      const size = sizeOf(answer)
      if (size === undefined || answer.length < size) return
      answer = Buffer.alloc(0)
      count += 1
      if (performance.now() < until) connection.write(request)
      else connection.destroy()
    })
    connection.on("close", () => resolve(count))
  })

export const requests = async (socket: string, text: string, connections: number, millis: number) => {
  const request = Buffer.from(text)
  const all = async (millis: number) => {
    const until = performance.now() + millis
    const counts = await Promise.all(Array.from({ length: connections }, () => client(socket, request, until)))
    return counts.reduce((sum, count) => sum + count, 0)
  }
  await all(millis / 2)
  const read = stopwatch()
  return read(await all(millis))
}

export const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`

export const post = (path: string, body: unknown): string => {
  const json = JSON.stringify(body)
  return `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`
}
