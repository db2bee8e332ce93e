/**
 * The error of a failed command for standard error: a sentence that says what to do, or a JSON object.
 */
import { Cause, Option, Predicate, Schema } from "effect"
import { InvalidJobConfig } from "../../domain/errors.js"
import { toJson } from "../../internal/Json.js"
import { Problem } from "../../daemon/Problem.js"
import { InvalidPlan } from "../../yaml/Diagnostic.js"
import * as ExitCode from "./ExitCode.js"
import { exitOf } from "./exitOf.js"
import { Hinted } from "./Hinted.js"
import * as Terminal from "../terminal/text.js"

export interface Formatted {
  readonly code: number
  /** For standard error; empty if the command has already printed everything. */
  readonly text: string
}

export interface Manner {
  readonly json: boolean
  /** Whether a bug is shown with its stack traces. */
  readonly debug: boolean
}

export const format = (cause: Cause.Cause<unknown>, manner: Manner): Formatted => {
  if (Cause.isInterruptedOnly(cause)) return { code: ExitCode.interrupted, text: "" }
  return Option.match(Cause.failureOption(cause), {
    onNone: () => ({ code: ExitCode.internal, text: defect(cause, manner) }),
    onSome: (error) => expected(error, manner)
  })
}

const expected = (failure: unknown, { json }: Manner): Formatted => {
  if (failure instanceof ExitCode.Quit) return { code: failure.code, text: "" }
  const error = failure instanceof Hinted ? failure.error : failure
  const [code, hint] = exitOf(error)
  if (code === ExitCode.closed) return { code, text: "" }
  if (json) return { code, text: jsonLine(encode(error)) }
  return { code, text: sentence(error, failure instanceof Hinted ? failure.hint : hint) }
}

const sentence = (error: unknown, hint: string | undefined): string => {
  // One line each, as compilers print them, so that editors can jump to the position.
  if (error instanceof InvalidPlan) return error.problems.map((problem) => line(String(problem))).join("")
  if (error instanceof InvalidJobConfig) {
    const issues = error.issues.map(({ message, path }) =>
      line(path[0] === "tasksDir" ? message : ["charlotte", path.join("."), message].filter(Boolean).join(": "))
    )
    return issues.join("")
  }
  const message = Predicate.hasProperty(error, "message") ? String(error.message) : String(error)
  return `charlotte: ${Terminal.cleanLines(message).join("\n")}${hint === undefined ? "" : `; ${hint}`}\n`
}

const line = (text: string): string => `${Terminal.clean(text)}\n`

const defect = (cause: Cause.Cause<unknown>, { debug, json }: Manner): string => {
  const [first] = Cause.prettyErrors(cause)
  const message = `internal error: ${first?.message ?? "unknown"}`
  const details = Terminal.cleanLines(Cause.pretty(cause)).join("\n")
  if (json) return jsonLine({ _tag: "Defect", message, ...(debug ? { details } : {}) })
  if (debug) return `charlotte: ${Terminal.clean(message)}\n${details}\n`
  return `charlotte: ${Terminal.clean(message)}; for a stack trace, add --log-level debug\n`
}

/** In the shape of an error response of the HTTP API. */
const jsonLine = (error: object): string => `${JSON.stringify(error)}\n`

/** Encodes Charlotte's own errors with their schemas, and adds the message; others as plain JSON. */
const encode = (error: unknown): object => {
  if (error instanceof Problem) return error.json
  const message = Predicate.hasProperty(error, "message") ? String(error.message) : String(error)
  const json = Option.getOrElse(encodeWithOwnSchema(error), () => toJson(error))
  const { _tag = "Failure", ...fields }: { readonly [name: string]: unknown } = Predicate.isRecord(json) ? json : {}
  return { _tag, message, ...fields }
}

const encodeWithOwnSchema = (error: unknown): Option.Option<unknown> =>
  Predicate.hasProperty(error, "constructor") && Schema.isSchema(error.constructor)
    ? Schema.encodeUnknownOption(Schema.make<unknown, unknown, never>(error.constructor.ast))(error)
    : Option.none()
