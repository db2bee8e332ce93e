/**
 * The order of the files of a diff: first those that decide what the gates prove, last the files of the tasks and generated ones.
 */
import { list, string } from "../../progress/payload.js"

const generated =
  /(^|\/)(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|Cargo\.lock|go\.sum|poetry\.lock|uv\.lock|Pipfile\.lock|composer\.lock|Gemfile\.lock|flake\.lock)$|(^|\/)(dist|vendor|node_modules|__snapshots__)\/|\.(snap|map)$|\.min\.(js|css)$|[._-](generated|gen|pb)\.\w+$/

/** The directory of the tasks of a job, below its repository. */
export const tasksDirOf = (config: unknown): string | undefined => {
  const repository = string(config, "repoPath")
  const directory = string(config, "tasksDir")
  if (directory === undefined) return undefined
  const isInside = repository !== undefined && directory.startsWith(`${repository}/`)
  return (isInside ? directory.slice(repository.length + 1) : directory).replace(/^\.\//, "").replace(/\/$/, "")
}

/** The files that a note names because the work has changed what its gates run, or protected files. */
export const judgedIn = (tasks: ReadonlyArray<{ readonly notes: ReadonlyArray<unknown> }>): ReadonlySet<string> =>
  new Set(
    tasks
      .flatMap(({ notes }) => notes)
      .filter((note) => string(note, "_tag") === "checkChanged" || string(note, "_tag") === "protected")
      .flatMap((note) => list(note, "files"))
      .flatMap((file) => (typeof file === "string" ? [file] : (string(file, "path") ?? [])))
  )

/** Keeps the order of files that are alike. */
export const inOrder = <File extends { readonly path: string }>(
  files: ReadonlyArray<File>,
  tasksDir: string | undefined,
  judged: ReadonlySet<string>
): ReadonlyArray<File> => {
  const rank = ({ path }: File): number =>
    judged.has(path) ? -1 : generated.test(path) ? 2 : tasksDir !== undefined && path.startsWith(`${tasksDir}/`) ? 1 : 0
  return [...files].sort((a, b) => rank(a) - rank(b))
}
