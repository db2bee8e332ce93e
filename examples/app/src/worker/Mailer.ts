/**
 * Sends email. In place of a mail provider there is the directory `outbox`: without it, the provider is down.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { Context, Effect, Layer } from "effect"
import { AddressRefused, ProviderDown } from "../Receipt.ts"

export interface Message {
  /** A message with the id of an earlier one is the same message, and is not sent again. */
  readonly id: string
  readonly to: string
  readonly text: string
}

export class Mailer extends Context.Tag("shop/Mailer")<
  Mailer,
  { readonly send: (message: Message) => Effect.Effect<void, ProviderDown | AddressRefused> }
>() {}

export const layer = Layer.effect(
  Mailer,
  Effect.map(FileSystem.FileSystem, (fs) => ({
    send: ({ id, text, to }) =>
      to.includes("@")
        ? Effect.mapError(fs.writeFileString(`outbox/${id}.txt`, `To: ${to}\n\n${text}\n`), () => new ProviderDown())
        : new AddressRefused({ to })
  }))
)
