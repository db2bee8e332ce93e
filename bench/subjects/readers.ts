/**
 * Clients that read an event stream to its end, and count its events.
 */
import { connect } from "node:net"
import { ready } from "./beside.js"
import { get } from "./requests.js"

const mark = Buffer.from("\ndata: ")

/** Counts the marks in a stream, including marks that are split between two pieces. */
const counter = () => {
  let rest: Buffer = Buffer.alloc(0)
  return (piece: Buffer): number => {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    let count = 0
    let at = bytes.indexOf(mark)
    let last = 0
    while (at >= 0) {
      count += 1
      last = at + mark.length
      at = bytes.indexOf(mark, last)
    }
    rest = bytes.subarray(Math.max(last, bytes.length - mark.length + 1))
    return count
  }
}

/** Reads until every client has seen all events. Returns the milliseconds since the first event of any client. */
export const readers = async (socket: string, path: string, clients: number, events: number): Promise<number> => {
  let begun = 0
  let open = 0
  const read = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const count = counter()
      let seen = 0
      let isOpen = false
      const connection = connect(socket, () => connection.write(get(path)))
      connection.on("error", reject)
      connection.on("data", (piece) => {
        if (!isOpen) {
          isOpen = true
          if (++open === clients) ready()
        }
        seen += count(piece)
        if (seen > 0 && begun === 0) begun = performance.now()
        if (seen < events) return
        connection.destroy()
        resolve()
      })
    })
  await Promise.all(Array.from({ length: clients }, read))
  return performance.now() - begun
}
