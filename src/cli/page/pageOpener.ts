/**
 * Opens the page of a job that runs in the foreground. The job runs even if that fails.
 */
import { Effect, Scope } from "effect"
import { Home, layerUntouched } from "../../daemon/home/Home.js"
import type { JobId } from "../../domain/JobId.js"
import * as background from "../../internal/background.js"
import * as text from "../terminal/text.js"
import { Output } from "../terminal/Output.js"
import { inBrowser } from "./openPage.js"

/** Does not wait for the browser, which may take seconds. */
export const pageOpener = Effect.gen(function* () {
  const { error } = yield* Output
  const scope = yield* Effect.scope
  const home = yield* Effect.provide(Home, layerUntouched)
  return (id: JobId) =>
    inBrowser(id).pipe(
      Effect.provideService(Home, home),
      Effect.catchAll(({ message }) => error(`charlotte: ${text.clean(message)}\n`)),
      background.fork,
      Scope.extend(scope)
    )
})
