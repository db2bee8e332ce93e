/**
 * How a failed command is told: once, on the standard error, in a sentence with a way out, or as one JSON object.
 */
import type { HelpDoc } from "@effect/cli/HelpDoc"
import * as HelpDocs from "@effect/cli/HelpDoc"
import * as ValidationError from "@effect/cli/ValidationError"
import { Cause, Option, Predicate, Schema } from "effect"
import { InvalidJobConfig } from "../../domain/errors.js"
import { toJson } from "../../internal/Json.js"
import { InvalidPlan } from "../../yaml/Diagnostic.js"
import * as exitCodeOf from "./exitCodeOf.js"
import * as ExitCode from "./ExitCode.js"
import * as hints from "./hints.js"
import * as Terminal from "../terminal/text.js"
import { UsageError } from "../parser/UsageError.js"

export interface Told {
  readonly code: number
  /** For the standard error; empty when all has been said. */
  readonly text: string
}

export interface Manner {
  readonly json: boolean
  /** Whether a bug is shown with all its traces. */
  readonly debug: boolean
  /** The command that explains how it is done. */
  readonly help: string
}

export const tell = (cause: Cause.Cause<unknown>, manner: Manner): Told => {
  if (Cause.isInterruptedOnly(cause)) return { code: ExitCode.interrupted, text: "" }
  return Option.match(Cause.failureOption(cause), {
    onNone: () => ({ code: ExitCode.internal, text: defect(cause, manner) }),
    onSome: (error) => expected(ValidationError.isValidationError(error) ? ofLibrary(error, manner) : error, manner)
  })
}

const expected = (error: unknown, { json }: Manner): Told => {
  if (error instanceof ExitCode.Quit) return { code: error.code, text: "" }
  const code = exitCodeOf.ofError(error)
  if (code === ExitCode.closed) return { code, text: "" }
  return { code, text: json ? jsonLine(encode(error)) : sentence(error) }
}

const ofLibrary = ({ error }: ValidationError.ValidationError, { help }: Manner) =>
  new UsageError({ problem: paragraphs(error).join(" "), help })

const paragraphs = (doc: HelpDoc): ReadonlyArray<string> =>
  doc._tag === "Sequence"
    ? [...paragraphs(doc.left), ...paragraphs(doc.right)]
    : [HelpDocs.toAnsiText(doc)].map(Terminal.clean).filter((text) => text !== "")

const sentence = (error: unknown): string => {
  // Each of them is a sentence of its own, in the form in which editors find the place.
  if (error instanceof InvalidPlan) return error.problems.map((problem) => line(String(problem))).join("")
  if (error instanceof InvalidJobConfig) {
    const issues = error.issues.map(({ message, path }) =>
      line(path[0] === "tasksDir" ? message : ["charlotte", path.join("."), message].filter(Boolean).join(": "))
    )
    return issues.join("")
  }
  const message = Predicate.hasProperty(error, "message") ? String(error.message) : String(error)
  const remedy = hints.of(error)
  return `charlotte: ${Terminal.cleanLines(message).join("\n")}${remedy === undefined ? "" : `; ${remedy}`}\n`
}

const line = (text: string): string => `${Terminal.clean(text)}\n`

const defect = (cause: Cause.Cause<unknown>, { debug, json }: Manner): string => {
  const [first] = Cause.prettyErrors(cause)
  const message = `this should not have happened: ${first?.message ?? "an unknown error"}`
  const details = Terminal.cleanLines(Cause.pretty(cause)).join("\n")
  if (json) return jsonLine({ _tag: "Defect", message, ...(debug ? { details } : {}) })
  if (debug) return `charlotte: ${Terminal.clean(message)}\n${details}\n`
  return `charlotte: ${Terminal.clean(message)}; for the details run it again with: --log-level debug\n`
}

/** As the body of an answer that tells of it. */
const jsonLine = (error: object): string => `${JSON.stringify(error)}\n`

/** An error of ours as its schema says, with its message; of any other what JSON can tell. */
const encode = (error: unknown): object => {
  const message = Predicate.hasProperty(error, "message") ? String(error.message) : String(error)
  const json = Option.getOrElse(encodeWithOwnSchema(error), () => toJson(error))
  const { _tag = "Failure", ...fields }: { readonly [name: string]: unknown } = Predicate.isRecord(json) ? json : {}
  return { _tag, message, ...fields }
}

const encodeWithOwnSchema = (error: unknown): Option.Option<unknown> =>
  Predicate.hasProperty(error, "constructor") && Schema.isSchema(error.constructor)
    ? Schema.encodeUnknownOption(Schema.make<unknown, unknown, never>(error.constructor.ast))(error)
    : Option.none()
