/**
 * The error of a run, and the limit on what is recorded of it.
 */
import { Predicate } from "effect"
import { stringify, toJson } from "../internal/Json.js"
import { type ErrorKind, Parked, RunError } from "./Run.js"
import { beginning } from "./storable.js"

/** Limit of each part of a recorded error, in UTF-8 bytes, including the truncation mark. */
const maxBytes = 64 * 1024

/** Limit of each string that is kept of an error that is too large. */
const maxPart = 12 * 1024

/** Bytes reserved for the truncation mark. */
const markRoom = 80

const bytesOf = (text: string): number => Buffer.byteLength(text)

/** Truncates a text to `max` bytes, with a mark if something was cut. */
const cut = (text: string, max: number): string => {
  if (text.length <= max && bytesOf(text) <= max) return text
  const begin = beginning(text, max - markRoom)
  return `${begin} … [cut: ${bytesOf(begin)} of ${bytesOf(text)} bytes]`
}

/** Truncates a text so that its JSON encoding, in which a character can take six bytes, has at most `max` bytes. */
const cutString = (text: string, max: number, limit = max): string => {
  const shorter = cut(text, limit)
  return bytesOf(JSON.stringify(shorter)) <= max ? shorter : cutString(text, max, Math.floor(limit / 2))
}

/** The identifying fields; only these are kept of an error that is too large. */
const names = ["_tag", "name", "code", "message"] as const

const cutJson = (json: unknown, bytes: number): unknown => {
  if (typeof json === "string") return cutString(json, maxBytes)
  const kept = names.flatMap((name) => {
    const value = Predicate.isRecord(json) ? json[name] : undefined
    return typeof value === "string" ? [[name, cutString(value, maxPart)] as const] : []
  })
  return { ...Object.fromEntries(kept), cut: `${bytes} bytes of JSON exceed the limit` }
}

/** The park with the error of the attempt that failed, if it waits for a retry. */
export const withError = (parked: Parked, error: RunError | undefined): Parked =>
  parked.retry === undefined || error === undefined
    ? parked
    : new Parked(
        { ...parked, retry: { ...parked.retry, error: { kind: error.kind, error: error.error } } },
        { disableValidation: true }
      )

/** Makes the error of a run; `cause` is the pretty-printed cause. */
export const runError = (kind: ErrorKind, error: unknown, cause: string): RunError =>
  new RunError({ kind, error: toJson(error), cause }, { disableValidation: true })

/**
 * The error as a store records it, each part truncated to 64 KiB, so that a program that fails with its whole output does not
 * fill the database. Redact secrets before this: a truncated secret is not recognized.
 */
export const capped = ({ cause, error, kind }: RunError): RunError => {
  const bytes = bytesOf(stringify(error))
  return new RunError(
    { kind, error: bytes <= maxBytes ? error : cutJson(error, bytes), cause: cut(cause, maxBytes) },
    { disableValidation: true }
  )
}
