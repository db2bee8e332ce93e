/**
 * What a command prints with `--json`.
 */
import { Effect, Schema } from "effect"
import { Output } from "../terminal/Output.js"

/** Runs a command, and decodes what it has printed. */
export const captured = <A, I, E, R>(schema: Schema.Schema<A, I>, command: Effect.Effect<void, E, R>) =>
  Effect.gen(function* () {
    let printed = ""
    const output = yield* Output
    yield* Effect.provideService(command, Output, {
      ...output,
      write: (text) =>
        Effect.sync(() => void (printed += typeof text === "string" ? text : new TextDecoder().decode(text)))
    })
    return yield* Effect.orDie(Schema.decode(Schema.parseJson(schema))(printed))
  })
