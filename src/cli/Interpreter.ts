/**
 * What the words of nearly every command line ask for; those that start the daemon are understood without.
 */
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import { Effect } from "effect"
import { version } from "../http/Version.js"
import * as Commands from "./Commands.js"
import * as Main from "./Main.js"

export const command = (argv: ReadonlyArray<string>) =>
  Effect.promise(() => Commands.load(argv)).pipe(
    Effect.flatMap((program) => Main.run(program, argv, { version })),
    Effect.provide(NodeTerminal.layer)
  )
