/**
 * The sessions of agents: conversations that a later turn can resume. An agent names its session in the first records of a turn.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Array, Effect, Option, Schema } from "effect"
import type { Format } from "./Profile.js"
import { tooLong } from "./wordings.js"

/** It becomes an argument of a command, so it must not look like a flag. */
const Id = Schema.String.pipe(Schema.pattern(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/))

const decodeStart = {
  "claude-stream-json": Schema.decodeOption(
    Schema.parseJson(
      Schema.Struct({ type: Schema.Literal("system", "assistant", "result"), session_id: Id }).pipe(
        Schema.pluck("session_id")
      )
    )
  ),
  "codex-json": Schema.decodeOption(
    Schema.parseJson(
      Schema.Struct({ type: Schema.Literal("thread.started"), thread_id: Id }).pipe(Schema.pluck("thread_id"))
    )
  )
}

/** The session that the output of a turn names; none in a format without sessions. */
export const idIn = (format: Format, output: string): Option.Option<string> =>
  format === "text" ? Option.none() : Array.findFirst(output.split("\n"), (line) => decodeStart[format](line))

/** Where the records are in which a turn names its session. */
const headSize = 256n * 1024n

/** The session that a turn named in its log, also if the turn was cut off. */
export const inLog = (format: Format, log: string): Effect.Effect<Option.Option<string>, never, FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const file = yield* fs.open(log)
    const head = yield* file.readAlloc(headSize)
    return Option.flatMap(head, (bytes) => idIn(format, new TextDecoder().decode(bytes)))
  }).pipe(
    Effect.scoped,
    Effect.orElseSucceed(() => Option.none())
  )

/** The records with which agents end a turn. */
const decodeEnd = Schema.decodeOption(
  Schema.parseJson(
    Schema.Struct({
      type: Schema.Literal("result", "error", "turn.failed"),
      result: Schema.optional(Schema.String),
      errors: Schema.optional(Schema.Array(Schema.String)),
      message: Schema.optional(Schema.String),
      error: Schema.optional(Schema.Struct({ message: Schema.String }))
    })
  )
)

const unusable = [
  // The agent does not have it, at least not for this directory.
  /\bNo conversation found with session ID\b/,
  /\bFailed to resume the conversation\b/,
  /\b(no rollout found for thread|no thread with id|missing rollout path for thread|No saved session found)\b/,
  ...tooLong,
  // The service refuses what it contains.
  /\bin conversation history\b/,
  /\bdue to tool use concurrency issues\b/,
  /\bInvalid data in redacted_thinking block\b/,
  /\binput\[\d+\]\.encrypted_content\b/
]

/** Whether the output of a failed turn says that its session cannot go on, in a record or in a line of the client itself. */
export const isUnusable = (tail: string): boolean =>
  tail
    .split("\n")
    .flatMap((line) => (line.startsWith("{") ? textsOf(line) : [line]))
    .some((text) => unusable.some((pattern) => pattern.test(text)))

const textsOf = (line: string): ReadonlyArray<string> =>
  Option.match(decodeEnd(line), {
    onNone: () => [],
    onSome: ({ error, errors = [], message = "", result = "" }) => [result, message, error?.message ?? "", ...errors]
  })
