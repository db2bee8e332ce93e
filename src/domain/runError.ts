/**
 * The error of a run, and how much of it is recorded.
 */
import { Predicate } from "effect"
import { stringify, toJson } from "../internal/Json.js"
import { RunError } from "./Run.js"

/** Bytes of UTF-8 that each part of an error may have in the record, its mark included. */
const maxBytes = 64 * 1024

/** Of a text within an error that is too large. */
const maxPart = 12 * 1024

/** Room for the mark. */
const markRoom = 80

const bytesOf = (text: string): number => Buffer.byteLength(text)

const scratch = new Uint8Array(maxBytes)

/** A text of at most so many bytes, which says when it was cut. */
const cut = (text: string, max: number): string => {
  if (text.length <= max && bytesOf(text) <= max) return text
  // `encodeInto` stops before the first character that does not fit as a whole.
  const { read } = new TextEncoder().encodeInto(text, scratch.subarray(0, max - markRoom))
  const begin = text.slice(0, read)
  return `${begin} … [cut: ${bytesOf(begin)} of ${bytesOf(text)} bytes]`
}

/** The same of a text as JSON writes it, where some characters take up to six bytes. */
const cutString = (text: string, max: number, limit = max): string => {
  const shorter = cut(text, limit)
  return bytesOf(JSON.stringify(shorter)) <= max ? shorter : cutString(text, max, Math.floor(limit / 2))
}

/** What tells one error from another; all else of an error that is too large goes. */
const names = ["_tag", "name", "code", "message"] as const

const cutJson = (json: unknown, bytes: number): unknown => {
  if (typeof json === "string") return cutString(json, maxBytes)
  const kept = names.flatMap((name) => {
    const value = Predicate.isRecord(json) ? json[name] : undefined
    return typeof value === "string" ? [[name, cutString(value, maxPart)] as const] : []
  })
  return { ...Object.fromEntries(kept), cut: `${bytes} bytes of JSON are too many to keep` }
}

/** The error of a run: the error as JSON, and its cause as it is rendered for people. */
export const runError = (kind: RunError["kind"], error: unknown, cause: string): RunError =>
  new RunError({ kind, error: toJson(error), cause }, { disableValidation: true })

/**
 * The error as a store records it. Each part has at most 64 KiB, and says so when it was cut: a program that fails with all that it
 * has printed must not fill the database with it. Secrets are redacted before this, since half of one is not recognized.
 */
export const capped = ({ cause, error, kind }: RunError): RunError => {
  const bytes = bytesOf(stringify(error))
  return new RunError(
    { kind, error: bytes <= maxBytes ? error : cutJson(error, bytes), cause: cut(cause, maxBytes) },
    { disableValidation: true }
  )
}
