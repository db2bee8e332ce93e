/**
 * The connection of this tab to the server, and the hooks by which components read data.
 */
import { effect, type Signal, signal, useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import { isMounted, mayAct, shared } from "../address.js"
import { RequestRefused, setTrusted } from "../api/request.js"
import { type Hub, make } from "../events/Hub.js"
import { open } from "../events/stream.js"
import { prove } from "../session/proof.js"
import * as eventRate from "../system/eventRate.js"
import { session } from "../session/session.js"

/** Set by the build: tabs of different versions do not understand each other. */
declare const VERSION: string

/** Returns when there is a session. */
const untilSession = (): Promise<void> =>
  new Promise((resolve) => {
    const stop = session.subscribe((session) => {
      if (session === undefined) return
      resolve()
      queueMicrotask(() => stop())
    })
  })

const reasonOf = (error: unknown): "ahead" | "session" | "other" => {
  if (!(error instanceof RequestRefused)) return "other"
  if (error.tag === "CursorAhead") return "ahead"
  return error.status === 401 || error.tag === "SessionNotFound" ? "session" : "other"
}

const name = shared(`charlotte.events.${VERSION}`)

export const hub: Hub = make(
  {
    prove: async (signal) => isMounted || (session.value !== undefined && (await prove(session.value, signal))),
    open,
    reasonOf,
    untilSession
  },
  {
    channel: new BroadcastChannel(name),
    elect: (lead) => void navigator.locks.request(name, lead),
    isHidden: () => document.hidden,
    now: () => performance.now()
  }
)

/**
 * Whether there are actions: for a person who may act, while the server responds, so that none happens later than it was asked for.
 */
export const isLive = (): boolean => mayAct && hub.connection.value === "live"

/** The time of day, updated each second, for running jobs. */
export const now = signal(Date.now())

export const start = (): void => {
  hub.subscribe(({ length }) => eventRate.count(length))
  effect(() => setTrusted(hub.connection.value === "live"))
  setInterval(() => {
    eventRate.next()
    if (!document.hidden) now.value = Date.now()
  }, 1_000)
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return
    now.value = Date.now()
    if (hub.connection.value !== "live") hub.wake()
  })
  // A page restored from the browser's back/forward cache has missed events.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) hub.refresh()
  })
}

export interface Loaded<A> {
  /** The latest value; during a read, the previous value. */
  readonly value: Signal<A | undefined>
  readonly error: Signal<Error | undefined>
  readonly reload: () => void
}

/** Reads when the component is shown, when `key` changes, and when events may have been missed. A superseded read is dropped. */
export const useLoaded = <A>(key: string, load: (signal: AbortSignal) => Promise<A>): Loaded<A> => {
  const value = useSignal<A | undefined>(undefined)
  const error = useSignal<Error | undefined>(undefined)
  const latest = useRef(load)
  latest.current = load
  const reload = useRef<() => void>(() => {})
  useEffect(() => {
    let control = new AbortController()
    const read = async (): Promise<void> => {
      control.abort()
      const { signal } = (control = new AbortController())
      try {
        const found = await latest.current(signal)
        if (signal.aborted) return
        value.value = found
        error.value = undefined
      } catch (cause) {
        if (!signal.aborted) error.value = cause instanceof Error ? cause : new Error(String(cause))
      }
    }
    reload.current = () => void read()
    const stop = hub.epoch.subscribe((epoch) => {
      if (epoch > 0) void read()
    })
    return () => {
      stop()
      control.abort()
    }
  }, [key])
  return { value, error, reload: () => reload.current() }
}
