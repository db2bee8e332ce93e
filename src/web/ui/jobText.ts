/**
 * The title of a job, and its repository.
 */
import { isRecord } from "../api/decode.js"

interface Named {
  readonly id: string
  readonly kind: string
  readonly config: unknown
  readonly labels: { readonly [name: string]: string }
}

const field = (config: unknown, name: string): string | undefined => {
  const value = isRecord(config) ? config[name] : undefined
  return typeof value === "string" && value.trim() !== "" ? value : undefined
}

/** The label or field `title` or `name`; for a task job its plan; otherwise its kind. */
export const titleOf = ({ config, kind, labels }: Named): string =>
  labels["title"] ??
  field(config, "title") ??
  labels["name"] ??
  field(config, "name") ??
  (kind === "tasks" ? field(config, "tasksDir") : undefined) ??
  kind

/** The last part of a path. */
export const baseName = (path: string): string => path.split("/").findLast((part) => part !== "") ?? path

/** The repository in which the job works. */
export const repositoryOf = ({ config }: Named): string | undefined => field(config, "repoPath")

/** The end of an id, which distinguishes jobs created at the same moment. */
export const shortId = (id: string): string => id.slice(-6)
