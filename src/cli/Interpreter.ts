/**
 * What the words of nearly every command line ask for; those that start the daemon are understood without.
 */
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import { Effect } from "effect"
import { version } from "../http/contract/Version.js"
import * as commands from "./parser/commands.js"
import * as runCommand from "./parser/runCommand.js"

export const command = (argv: ReadonlyArray<string>) =>
  Effect.promise(() => commands.load(argv)).pipe(
    Effect.flatMap((program) => runCommand.run(program, argv, { version })),
    Effect.provide(NodeTerminal.layer)
  )
