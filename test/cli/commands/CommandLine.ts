/**
 * The whole command line in this process, in a world of its own.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { ConfigProvider, Effect, Layer } from "effect"
import { CurrentDirectory } from "../../../src/cli/start/repositoryAround.js"
import { charlotte } from "../../../src/cli/parser/commands.js"
import * as runCommand from "../../../src/cli/parser/runCommand.js"
import { version } from "../../../src/http/contract/Version.js"
import { type GitEnvironment, GitEnvironmentRef } from "../../../src/git/GitEnvironment.js"
import { ParentEnvironment } from "../../../src/process/ChildEnvironment.js"
import * as Capture from "../Capture.js"

export interface World {
  /** Where commands are run; outside of any repository if it is left out. */
  readonly directory?: string
  readonly environment: GitEnvironment
  readonly variables: Readonly<Record<string, string>>
}

export interface Answer {
  readonly code: number
  readonly out: string
  readonly err: string
}

export type Terminal = Parameters<typeof Capture.make>[0]

/** What is answered in the end, and what has been said so far, on either stream. */
export const make = (world: World) => (argv: ReadonlyArray<string>, terminal?: Terminal) => {
  const capture = Capture.make(terminal)
  const answer: Effect.Effect<Answer> = runCommand.run(charlotte, argv, { version }).pipe(
    Effect.provide(Layer.merge(NodeContext.layer, capture.layer)),
    Effect.provideService(GitEnvironmentRef, world.environment),
    Effect.provideService(CurrentDirectory, Effect.succeed(world.directory ?? "/")),
    Effect.provideService(ParentEnvironment, world.variables),
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(world.variables)))),
    Effect.map((code) => ({ code, out: capture.out(), err: capture.err() }))
  )
  return { answer, said: () => capture.out() + capture.err() }
}
