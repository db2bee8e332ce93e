/** How tabs share one connection, without a browser. */
import { describe, expect, it } from "vitest"
import { setTimeout as sleep } from "node:timers/promises"
import { make, type Source } from "../../../src/web/events/Hub.js"
import type { Stream } from "../../../src/web/events/stream.js"

const line = (cursor: number): string =>
  JSON.stringify({ jobId: "j", seq: cursor, cursor, at: "2026-01-31T08:00:00Z", type: "counted" })

const frame = (cursor: number) => ({ id: String(cursor), event: "", data: line(cursor) })

/** A server whose log can be written to, and whose streams can be cut. */
const server = () => {
  const log: Array<number> = []
  const opened: Array<number | "latest"> = []
  let changed = Promise.withResolvers<void>()
  let cut = Promise.withResolvers<void>()
  let failure: string | undefined

  const wake = (): void => {
    changed.resolve()
    changed = Promise.withResolvers()
  }

  async function* read(from: number): Stream["frames"] {
    let at = from
    const end = cut.promise.then(() => "cut" as const)
    for (;;) {
      const next = log.filter((cursor) => cursor > at)
      if (next.length > 0) {
        at = next.at(-1) ?? at
        yield next.map(frame)
        continue
      }
      if ((await Promise.race([changed.promise, end])) === "cut") return
    }
  }

  const source: Source = {
    prove: async () => {
      if (failure !== undefined) throw new Error(failure)
      return true
    },
    open: async (after) => {
      opened.push(after)
      const position = after === "latest" ? (log.at(-1) ?? 0) : after
      if (position > (log.at(-1) ?? 0)) throw new Error("ahead")
      return { position, frames: read(position) }
    },
    reasonOf: (error) => (error instanceof Error && error.message === "ahead" ? "ahead" : "other"),
    untilSession: async () => {}
  }
  return {
    source,
    opened,
    write: (...cursors: ReadonlyArray<number>) => {
      log.push(...cursors)
      wake()
    },
    cut: () => {
      cut.resolve()
      cut = Promise.withResolvers()
    },
    fail: (message: string | undefined) => (failure = message),
    clear: () => log.splice(0)
  }
}

/** Tabs that hear each other; the first that is there leads, and the next one when it is closed. */
const browser = () => {
  const name = `hub ${Math.random()}`
  const waiting: Array<() => void> = []
  let isTaken = false
  return (source: Source) => {
    const channel = new BroadcastChannel(name)
    const seen: Array<number> = []
    let isClosed = false
    const hub = make(
      {
        ...source,
        open: async (after, signal) => {
          if (isClosed) return new Promise(() => {})
          return source.open(after, signal)
        }
      },
      {
        // What a tab that was closed has to say, no other hears.
        channel: {
          postMessage: (message: unknown) => {
            if (!isClosed) channel.postMessage(message)
          },
          addEventListener: channel.addEventListener.bind(channel)
        },
        elect: (lead) => {
          const begin = () => void lead()
          if (isTaken) waiting.push(begin)
          else {
            isTaken = true
            begin()
          }
        },
        isHidden: () => true,
        now: () => performance.now()
      }
    )
    hub.subscribe((events) => seen.push(...events.map(({ cursor }) => cursor)))
    return {
      hub,
      seen,
      /** Hears and says nothing more. */
      close: () => {
        isClosed = true
        channel.close()
        waiting.shift()?.()
      }
    }
  }
}

const until = async (isTrue: () => boolean): Promise<void> => {
  while (!isTrue()) await sleep(5)
}

describe("the hub of events", () => {
  it("passes each event on to every tab once, over one connection", async () => {
    const { opened, source, write } = server()
    const open = browser()
    write(1, 2)
    const [first, second] = [open(source), open(source)]
    await until(() => first.hub.epoch.value === 1 && second.hub.epoch.value === 1)
    write(3, 4)
    write(5)
    await until(() => first.seen.length === 3 && second.seen.length === 3)
    expect([first.seen, second.seen]).toEqual([
      [3, 4, 5],
      [3, 4, 5]
    ])
    expect(opened).toEqual(["latest"])
    expect([first.hub.leads.value, second.hub.leads.value]).toEqual([true, false])
    first.close()
    second.close()
  })

  it("continues behind the last event when the connection is lost, without a gap and without a repeat", async () => {
    const { cut, fail, opened, source, write } = server()
    const { close, hub, seen } = browser()(source)
    await until(() => hub.connection.value === "live")
    write(1, 2)
    await until(() => seen.length === 2)
    fail("refused")
    cut()
    await until(() => hub.connection.value === "away")
    write(3)
    fail(undefined)
    hub.wake()
    await until(() => seen.length === 3)
    expect(seen).toEqual([1, 2, 3])
    expect(opened).toEqual(["latest", 2])
    // What is shown is still true: nothing is read again.
    expect(hub.epoch.value).toBe(1)
    close()
  })

  it("lets another tab continue where the leading one was closed", async () => {
    const { opened, source, write } = server()
    const open = browser()
    const [first, second] = [open(source), open(source)]
    await until(() => second.hub.epoch.value === 1)
    write(1, 2)
    await until(() => second.seen.length === 2)
    first.close()
    write(3)
    await until(() => second.seen.length === 3)
    expect(second.seen).toEqual([1, 2, 3])
    expect(opened).toEqual(["latest", 2])
    expect(second.hub.leads.value).toBe(true)
    second.close()
  })

  it("has everything read again where the server has another database", async () => {
    const { clear, cut, opened, source, write } = server()
    const { close, hub, seen } = browser()(source)
    await until(() => hub.connection.value === "live")
    write(1, 2, 3)
    await until(() => seen.length === 3)
    clear()
    write(1)
    cut()
    await until(() => hub.epoch.value === 2)
    expect(opened).toEqual(["latest", 3, "latest"])
    write(2)
    await until(() => seen.length === 4)
    expect(seen).toEqual([1, 2, 3, 2])
    close()
  })

  it("has a tab that has missed events read again, and shows it none twice", async () => {
    const { source, write } = server()
    const open = browser()
    const first = open(source)
    await until(() => first.hub.connection.value === "live")
    write(1, 2)
    await until(() => first.seen.length === 2)
    const second = open(source)
    await until(() => second.hub.epoch.value === 1)
    write(3)
    await until(() => second.seen.length === 1)
    expect(second.seen).toEqual([3])
    expect(second.hub.epoch.value).toBe(1)
    first.close()
    second.close()
  })
})
