/**
 * Asks for confirmation at the terminal.
 */
import { Context, Effect, type Option } from "effect"
import { createInterface } from "node:readline"

/** The answer; none without a terminal. */
export type Confirm = (question: string) => Effect.Effect<Option.Option<boolean>>

const ask = (question: string): Effect.Effect<boolean> =>
  Effect.async((resume) => {
    // Not in terminal mode, in which readline would take Ctrl-C for itself.
    const lines = createInterface({ input: process.stdin, terminal: false })
    const answer = (text: string): void => {
      resume(Effect.succeed(/^y(es)?$/i.test(text.trim())))
      lines.close()
    }
    process.stderr.write(`${question} [y/N] `)
    lines.once("line", answer).once("close", () => answer(""))
    return Effect.sync(() => lines.close())
  })

export class Confirmation extends Context.Reference<Confirmation>()("charlotte/cli/Confirmation", {
  defaultValue: (): Confirm => (question) =>
    Effect.suspend(() =>
      process.stdin.isTTY && process.stderr.isTTY ? Effect.asSome(ask(question)) : Effect.succeedNone
    )
}) {}
