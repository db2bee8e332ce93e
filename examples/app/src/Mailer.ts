/**
 * Sends email. This one prints it; a real one talks to a mail provider.
 */
import { Console, Context, type Effect, Layer } from "effect"
import { NotDelivered } from "./Receipt.ts"

export interface Message {
  /** A message with the id of one that was sent is not sent again. */
  readonly id: string
  readonly to: string
  readonly text: string
}

export class Mailer extends Context.Tag("shop/Mailer")<
  Mailer,
  { readonly send: (message: Message) => Effect.Effect<void, NotDelivered> }
>() {}

export const layer = Layer.succeed(Mailer, {
  send: ({ text, to }) =>
    to.includes("@") ? Console.log(`to ${to}: ${text}`) : new NotDelivered({ to, reason: "it is no address" })
})
