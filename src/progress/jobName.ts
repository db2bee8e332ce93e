/**
 * The name of a job.
 */
import * as payload from "./payload.js"

export interface Named {
  readonly kind: string
  readonly config?: unknown
  readonly labels: { readonly [name: string]: string }
  /** Its first units. */
  readonly unitNames?: ReadonlyArray<string> | undefined
}

const field = (config: unknown, name: string): string | undefined => {
  const value = payload.string(config, name)
  return value?.trim() === "" ? undefined : value
}

/** The last part of a path. */
export const baseName = (path: string): string => path.split("/").findLast((part) => part !== "") ?? path

/** The repository in which the job works. */
export const repositoryOf = ({ config }: Pick<Named, "config">): string | undefined => field(config, "repoPath")

/** How many units name a job. */
const mostUnits = 3

/** `site: api, web and more`, or the plan if the units are not known. */
const ofTasks = ({ config, unitNames = [] }: Named): string | undefined => {
  const repository = repositoryOf({ config })
  const units = unitNames.slice(0, mostUnits).join(", ")
  const work = units === "" ? field(config, "tasksDir") : `${units}${unitNames.length > mostUnits ? " and more" : ""}`
  return repository === undefined || work === undefined ? work : `${baseName(repository)}: ${work}`
}

/** The label or field `title` or `name`; for a task job its repository and its first units; otherwise its kind. */
export const jobName = (job: Named): string =>
  job.labels["title"] ??
  field(job.config, "title") ??
  job.labels["name"] ??
  field(job.config, "name") ??
  (job.kind === "tasks" ? ofTasks(job) : undefined) ??
  job.kind
