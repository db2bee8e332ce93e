/**
 * One invocation of an agent, in the terms of the process runner.
 */
import type { PlatformError } from "@effect/platform/Error"
import { FileSystem } from "@effect/platform/FileSystem"
import { Array, Effect } from "effect"
import { dirname } from "node:path"
import type { Limits } from "../../process/ProcessRunner.js"
import { $match, type Agent } from "./Agent.js"
import { modelPlaceholder, placeholder, type Profile, sessionPlaceholder } from "./Profile.js"
import * as TurnEnd from "./TurnEnd.js"

export interface Invocation {
  readonly command: Array.NonEmptyReadonlyArray<string>
  readonly stdin?: string
  /** Names of environment variables to inherit. */
  readonly inherit: ReadonlyArray<string>
  readonly limits: Limits
}

export interface Options {
  readonly prompt: string
  /** The session to resume. */
  readonly session?: string | undefined
  /** The model that a command uses; without one, its agent chooses. */
  readonly model?: string | undefined
  /** The `sh` blocks of the task, and what begins the command line that runs them. */
  readonly scripts: ReadonlyArray<string>
  readonly wrap?: ReadonlyArray<string> | undefined
  /** An absolute path, to which `.agent.sh` or `.prompt.md` is appended; its directory is created. */
  readonly file: string
}

/** Writes the script or the prompt of the agent to a file beside the logs, and returns the command to run. */
export const make = (agent: Agent, options: Options): Effect.Effect<Invocation, PlatformError, FileSystem> =>
  $match(agent, {
    Script: ({ env }) =>
      Effect.map(write(`${options.file}.agent.sh`, options.scripts.join("\n")), (file) => ({
        command: Array.appendAll(options.wrap ?? [], ["sh", "-e", file] as const),
        inherit: env,
        limits: {}
      })),
    Command: ({ profile }) =>
      Effect.map(write(`${options.file}.prompt.md`, options.prompt), (file) => {
        const { env, prompt, silence, timeout, wrap = [] } = profile
        const words = commandFor(profile, options)
        const command = prompt === "stdin" ? words : insert(words, prompt === "file" ? file : argument(options.prompt))
        return {
          command: Array.appendAll(wrap, command),
          ...(prompt === "stdin" && { stdin: options.prompt }),
          inherit: env,
          limits: { total: timeout, silence, tail: TurnEnd.tailSize }
        }
      })
  })

const write = (file: string, text: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    yield* fs.makeDirectory(dirname(file), { recursive: true, mode: 0o700 })
    // An agent may have left a link in its place, which is not followed.
    yield* fs.remove(file, { recursive: true, force: true })
    yield* fs.writeFileString(file, text, { flag: "wx", mode: 0o600 })
    return file
  })

const commandFor = (
  { command, model: modelWords, resume }: Profile,
  { model, session }: Options
): Profile["command"] => {
  const words =
    session === undefined || resume === undefined
      ? command
      : Array.map(resume, (word) => (word === sessionPlaceholder ? session : word))
  return model === undefined || modelWords === undefined
    ? words
    : Array.appendAll(
        words,
        modelWords.map((word) => word.replaceAll(modelPlaceholder, () => model))
      )
}

/** Replaces the placeholder, or appends the value if there is none. */
const insert = (command: Array.NonEmptyReadonlyArray<string>, value: string): Array.NonEmptyReadonlyArray<string> =>
  command.includes(placeholder)
    ? Array.map(command, (word) => (word === placeholder ? value : word))
    : Array.append(command, value)

/** Keeps a prompt that starts with `-` from being parsed as a flag. */
const argument = (prompt: string): string => (prompt.startsWith("-") ? `\n${prompt}` : prompt)
