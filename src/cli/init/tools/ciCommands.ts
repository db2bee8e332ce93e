/**
 * The commands that the CI files and the README of a project run, one a line, as far as the shell makes nothing else of them.
 */
import { Effect } from "effect"
import type { Files } from "./Tool.js"

const names = [
  ".gitlab-ci.yml",
  ".circleci/config.yml",
  "azure-pipelines.yml",
  ".travis.yml",
  "README.md",
  "README.rst",
  "README"
]

/** Begins of lines that say what follows: a list, `run:` and `script:`, and a prompt. */
const before = /^(?:[-*$>]\s+|(?:run|script):\s*(?:[|>]-?\s*)?)+/

/** Variables, pipes, redirections, several commands, expressions of CI. */
const hasMore = /[$|&;<>`(){}#]|\\$/

export const ciCommands = (files: Files) =>
  Effect.gen(function* () {
    const workflows = (yield* files.list(".github/workflows")).filter((name) => /\.ya?ml$/.test(name)).sort()
    const texts = yield* Effect.forEach([...workflows.map((name) => `.github/workflows/${name}`), ...names], files.text)
    return texts.flatMap((text) =>
      text.split("\n").flatMap((line) => {
        const command = line
          .trim()
          .replace(before, "")
          .replace(/^(["'])(.*)\1$/, "$2")
          .trim()
        return command === "" || hasMore.test(command) ? [] : [command]
      })
    )
  })
