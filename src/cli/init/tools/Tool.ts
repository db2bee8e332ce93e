/**
 * What a tool of a project needs, and the files of a directory by which it is recognized.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, type Option } from "effect"
import { join } from "node:path"
import * as TextFile from "../../../yaml/TextFile.js"

export interface Setup {
  readonly run: string
  /** The files on which that depends. */
  readonly inputs: ReadonlyArray<string>
}

export interface Tool {
  /** Such as `npm` and `cargo`. */
  readonly name: string
  readonly setup?: Setup | undefined
  /** Commands that pass when the project is sound. */
  readonly gates: ReadonlyArray<string>
  /** Commands that could be gates as well. */
  readonly others?: ReadonlyArray<string>
  /** Finds the command among the lines that CI runs, with the options that it has there. */
  readonly inCi?: RegExp
  /** Makes of what that finds the command for a worktree, where it is another. */
  readonly fromCi?: (command: string) => string
  /** Begins the commands of make and the like where they need what the setup installs. */
  readonly before?: string
  /** Whether directories below are packages that the setup here serves. */
  readonly hasPackages?: boolean
  /** Directories that these commands leave behind, and git should ignore. */
  readonly leavings: ReadonlyArray<string>
}

/** The files of a directory, as far as they are regular: it follows no symbolic link. */
export const filesIn = (directory: string) => {
  const kindOf = (name: string) =>
    Effect.match(TextFile.inspect(join(directory, name)), { onFailure: () => "missing", onSuccess: ({ kind }) => kind })
  const has = (name: string) => Effect.map(kindOf(name), (kind) => kind === "a regular file")
  const list = (name: string) =>
    Effect.flatMap(kindOf(name), (kind) =>
      kind === "a directory"
        ? Effect.flatMap(FileSystem, (fs) => Effect.orElseSucceed(fs.readDirectory(join(directory, name)), () => []))
        : Effect.succeed<ReadonlyArray<string>>([])
    )
  const text = (name: string) =>
    Effect.match(TextFile.read(join(directory, name), name), { onFailure: () => "", onSuccess: ({ text }) => text })
  return { has, first: (names: ReadonlyArray<string>) => Effect.findFirst(names, has), list, text }
}

export type Files = ReturnType<typeof filesIn>

/** Finds a tool in a directory, if the project there has it. */
export type Detect = (files: Files) => Effect.Effect<Option.Option<Tool>, never, FileSystem>
