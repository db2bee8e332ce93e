import { Database, RunStore } from "charlotte"
import { ConfigProvider, Effect, Layer } from "effect"
import { mkdirSync } from "node:fs"
import { charlotte } from "../../../src/cli/parser/commands.js"
import { GitEnvironmentRef } from "../../../src/git/GitEnvironment.js"
import { sandbox } from "../../support/Repository.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as Capture from "../Capture.js"

/** A home with the store of an application, and a command line in it. */
export const applicationHome = Effect.gen(function* () {
  const directory = `${yield* TemporaryDirectory.make}/home`
  mkdirSync(directory, { mode: 0o700 })
  const { environment } = yield* sandbox
  const store = RunStore.layer.pipe(Layer.provide(Database.layer({ filename: `${directory}/charlotte.db` })))
  const run = (...argv: ReadonlyArray<string>) =>
    Capture.run(charlotte, argv, { columns: 200 }).pipe(
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["CHARLOTTE_HOME", directory]]))),
      Effect.provideService(GitEnvironmentRef, environment)
    )
  return { run, store }
})
