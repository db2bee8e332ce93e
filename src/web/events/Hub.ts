/**
 * The events of all jobs in every tab, over one connection per browser: a browser opens six to a server, and a tab for each of
 * twenty agents would use them up. The tab that holds a Web Lock has the connection and forwards the events; when it is closed, the
 * next tab gets the lock and continues after the last event it has seen.
 */
import { type ReadonlySignal, signal } from "@preact/signals"
import { jobEvent, type JobEvent } from "../api/models.js"
import { type Connection, decodeMessage, type Message } from "./message.js"
import type { Stream } from "./stream.js"

/** The parts of the connection to the server. */
export interface Source {
  /** Whether the server proves that it knows the session. */
  readonly prove: (signal: AbortSignal) => Promise<boolean>
  readonly open: (after: number | "latest", signal: AbortSignal) => Promise<Stream>
  /** Classifies a failure: the cursor is not in this database, or there is no session. */
  readonly reasonOf: (error: unknown) => "ahead" | "session" | "other"
  /** Returns when there is a session. */
  readonly untilSession: () => Promise<void>
}

/** The APIs of the browser, replaced by tests. */
export interface Browser {
  readonly channel: Pick<BroadcastChannel, "postMessage" | "addEventListener">
  /** Runs `lead` while this tab is the only leader. */
  readonly elect: (lead: () => Promise<void>) => void
  readonly isHidden: () => boolean
  readonly now: () => number
}

export interface Hub {
  readonly connection: ReadonlySignal<Connection>
  /** 0 before the first connection; increases when views have to read again, because they may have missed events. */
  readonly epoch: ReadonlySignal<number>
  /** Whether this tab has the connection. */
  readonly leads: ReadonlySignal<boolean>
  /** Calls back with the events of all jobs, in order, each once. Returns a function that unsubscribes. */
  readonly subscribe: (listener: (events: ReadonlyArray<JobEvent>) => void) => () => void
  /** Retries the connection now. */
  readonly wake: () => void
  /** For a tab that was asleep and has missed events. */
  readonly refresh: () => void
}

/** Events that arrive within this time are passed on together. */
const batchMillis = 100

/** The server sends a heartbeat every 15 seconds. */
const silenceMillis = 40_000

const pauses = [250, 500, 1_000, 2_000]

export const make = (source: Source, browser: Browser): Hub => {
  const connection = signal<Connection>("connecting")
  const epoch = signal(0)
  const leads = signal(false)
  const listeners = new Set<(events: ReadonlyArray<JobEvent>) => void>()
  /** The cursor of the last event. */
  let position: number | undefined
  let wake = (): void => {}

  const post = (message: Message): void => browser.channel.postMessage(message)

  /** Continues at another cursor without the events in between. */
  const moveTo = (cursor: number): void => {
    position = cursor
    epoch.value += 1
  }

  const deliver = (after: number, upTo: number, lines: ReadonlyArray<string>): void => {
    if (position === undefined || after > position) return moveTo(upTo)
    const from = position
    const events = lines.map((line) => jobEvent(JSON.parse(line), "")).filter(({ cursor }) => cursor > from)
    if (events.length === 0) return
    position = Math.max(from, upTo)
    for (const listener of listeners) listener(events)
  }

  const setConnection = (next: Connection): void => {
    connection.value = next
    post({ type: "state", connection: next, position })
  }

  /** Events that have arrived but were not yet passed on. */
  let lines: Array<string> = []
  let upTo = 0
  let lastFlush = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    lastFlush = browser.now()
    if (lines.length === 0) return
    const batch = { after: position ?? 0, upTo, lines }
    lines = []
    post({ type: "events", ...batch })
    deliver(batch.after, batch.upTo, batch.lines)
  }

  /** Flushes at once in a hidden tab, whose timers the browser may delay by a minute. */
  const flushSoon = (): void => {
    if (browser.isHidden() || browser.now() - lastFlush >= batchMillis) flush()
    else timer ??= setTimeout(flush, batchMillis)
  }

  const pause = (millis: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, millis)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  /** Reads events until the connection ends. */
  const follow = async (onOpen: () => void): Promise<void> => {
    const control = new AbortController()
    let silence: ReturnType<typeof setTimeout> | undefined
    const heard = (): void => {
      clearTimeout(silence)
      silence = setTimeout(() => control.abort(), silenceMillis)
    }
    try {
      heard()
      if (!(await source.prove(control.signal))) {
        setConnection("foreign")
        return
      }
      const stream = await source.open(position ?? "latest", control.signal)
      onOpen()
      if (position === undefined) moveTo(stream.position)
      setConnection("live")
      for await (const frames of stream.frames) {
        heard()
        for (const { data, event, id } of frames) {
          if (event !== "") continue
          lines.push(data)
          upTo = Number(id)
        }
        if (lines.length > 0) flushSoon()
      }
    } finally {
      clearTimeout(silence)
      control.abort()
      flush()
    }
  }

  const lead = async (): Promise<void> => {
    leads.value = true
    let failures = 0
    for (;;) {
      try {
        await source.untilSession()
        await follow(() => (failures = 0))
        if (connection.value !== "foreign") setConnection("away")
      } catch (error) {
        const reason = source.reasonOf(error)
        if (reason === "ahead") {
          // The database is another one than before: all shown data may be from the old one.
          position = undefined
          post({ type: "reset" })
        } else setConnection(reason === "session" ? "ended" : "away")
      }
      await pause(pauses[Math.min(failures, pauses.length - 1)] ?? 0)
      failures += 1
    }
  }

  const onMessage = (message: Message): void => {
    if (message.type === "hello") {
      if (leads.value) post({ type: "state", connection: connection.value, position })
      return
    }
    if (message.type === "wake") return wake()
    if (leads.value) return
    if (message.type === "events") return deliver(message.after, message.upTo, message.lines)
    if (message.type === "reset") {
      position = undefined
      return
    }
    connection.value = message.connection
    if (message.position === undefined) return
    if (position === undefined || message.position > position) moveTo(message.position)
  }

  browser.channel.addEventListener("message", ({ data }) => {
    const message = decodeMessage(data)
    if (message !== undefined) onMessage(message)
  })
  browser.elect(lead)
  post({ type: "hello" })

  return {
    connection,
    epoch,
    leads,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    wake: () => {
      wake()
      post({ type: "wake" })
    },
    refresh: () => {
      epoch.value += 1
      if (!leads.value) post({ type: "hello" })
    }
  }
}
