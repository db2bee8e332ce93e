/**
 * The scripts by which shells complete our commands.
 */
import * as CommandDescriptor from "@effect/cli/CommandDescriptor"
import { Effect } from "effect"
import type { Program } from "./CommandTree.js"

const makers: Readonly<Record<string, typeof CommandDescriptor.getBashCompletions>> = {
  bash: CommandDescriptor.getBashCompletions,
  fish: CommandDescriptor.getFishCompletions,
  zsh: CommandDescriptor.getZshCompletions
}

export const make = ({ descriptor, name }: Program, shell = "bash"): Effect.Effect<string> =>
  Effect.map((makers[shell] ?? CommandDescriptor.getBashCompletions)(descriptor, name), (lines) =>
    lines
      // The library has one more option than we.
      .map((line) => line.replace(" --wizard", ""))
      .filter((line) => !line.includes("wizard"))
      .map((line) => `${line}\n`)
      .join("")
  )
