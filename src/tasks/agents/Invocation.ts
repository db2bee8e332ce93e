/**
 * One call of an agent, as the process runner takes it.
 */
import type { PlatformError } from "@effect/platform/Error"
import { FileSystem } from "@effect/platform/FileSystem"
import { Array, Effect } from "effect"
import { dirname } from "node:path"
import type { Limits } from "../../process/ProcessRunner.js"
import { $match, type Agent } from "./Agent.js"
import { placeholder } from "./Profile.js"

export interface Invocation {
  readonly command: Array.NonEmptyReadonlyArray<string>
  readonly stdin?: string
  /** Names of variables that are passed on from outside. */
  readonly inherit: ReadonlyArray<string>
  readonly limits: Limits
}

export interface Options {
  readonly prompt: string
  /** The `sh` blocks of the task. */
  readonly scripts: ReadonlyArray<string>
  /** An absolute path, to which `.agent.sh` or `.prompt.md` is added; its directory is made. */
  readonly file: string
}

/** Writes what the agent is to do into a file: a script to be run, or the prompt, which stays beside the logs. */
export const make = (agent: Agent, options: Options): Effect.Effect<Invocation, PlatformError, FileSystem> =>
  $match(agent, {
    Script: ({ env }) =>
      Effect.map(write(`${options.file}.agent.sh`, options.scripts.join("\n")), (file) => ({
        command: ["sh", "-e", file] as const,
        inherit: env,
        limits: {}
      })),
    Command: ({ profile: { command, env, prompt, silence, timeout } }) =>
      Effect.map(write(`${options.file}.prompt.md`, options.prompt), (file) => ({
        command: prompt === "stdin" ? command : put(command, prompt === "file" ? file : argument(options.prompt)),
        ...(prompt === "stdin" && { stdin: options.prompt }),
        inherit: env,
        limits: { total: timeout, silence }
      }))
  })

const write = (file: string, text: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    yield* fs.makeDirectory(dirname(file), { recursive: true, mode: 0o700 })
    yield* fs.writeFileString(file, text, { mode: 0o600 })
    return file
  })

/** In place of the placeholder, or else at the end. */
const put = (command: Array.NonEmptyReadonlyArray<string>, value: string): Array.NonEmptyReadonlyArray<string> =>
  command.includes(placeholder)
    ? Array.map(command, (word) => (word === placeholder ? value : word))
    : Array.append(command, value)

/** A text that begins like a flag is not to be taken for one. */
const argument = (prompt: string): string => (prompt.startsWith("-") ? `\n${prompt}` : prompt)
