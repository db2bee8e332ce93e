/**
 * The payloads of `NOTIFY`: hints that are sent with a commit. Polling finds what a missed notice announced.
 */

export const channel = "charlotte"

/** Announces new events, written by the store with this origin. */
export const eventsNotice = (origin: string): string => `events ${origin}`

export type Notice =
  | { readonly _tag: "Events"; readonly origin: string }
  /** A transaction of an application has committed a run of this kind. */
  | { readonly _tag: "Outbox"; readonly kind: string }

export const parse = (payload: string): Notice | undefined => {
  const at = payload.indexOf(" ")
  const rest = payload.slice(at + 1)
  switch (payload.slice(0, at)) {
    case "events":
      return { _tag: "Events", origin: rest }
    case "outbox":
      return { _tag: "Outbox", kind: rest }
    default:
      return undefined
  }
}
