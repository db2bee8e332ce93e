/**
 * A `JobConfig` that has nothing uncommon about it, decoded and encoded by hand. This is a hot path: each start passes here,
 * and waits several times as long for the schema. What is not plainly right is left to that; it tells what is wrong.
 */
import { Predicate } from "effect"
import { JobConfig } from "../domain/JobConfig.js"
import type { Decoded } from "./Admission.js"

const known = new Set<PropertyKey>([
  "repoPath",
  "tasksDir",
  "targetBranch",
  "concurrency",
  "dryRun",
  "land",
  "agent",
  "labels"
])

const isText = (value: unknown): value is string => typeof value === "string" && value !== "" && !value.includes("\0")

const isLabels = (value: unknown): value is Readonly<Record<string, string>> =>
  Predicate.isRecord(value) &&
  Reflect.ownKeys(value).every((name) => typeof name === "string" && name !== "__proto__") &&
  Object.values(value).every(Predicate.isString)

export const decode = (input: unknown): Decoded<JobConfig> | undefined => {
  if (!Predicate.isRecord(input) || !Reflect.ownKeys(input).every((key) => known.has(key))) return undefined
  const { agent, concurrency = 4, dryRun = false, labels, land = true, repoPath, targetBranch, tasksDir } = input
  const isNamed = isText(agent)
  const isLabelled = isLabels(labels)
  if (
    !isText(repoPath) ||
    !repoPath.startsWith("/") ||
    !isText(tasksDir) ||
    !isText(targetBranch) ||
    !Predicate.isNumber(concurrency) ||
    !Number.isSafeInteger(concurrency) ||
    concurrency < 1 ||
    !Predicate.isBoolean(dryRun) ||
    !Predicate.isBoolean(land) ||
    ("agent" in input && !isNamed) ||
    ("labels" in input && !isLabelled)
  )
    return undefined
  const encoded = {
    repoPath,
    tasksDir,
    targetBranch,
    concurrency,
    dryRun,
    land,
    ...(isNamed && { agent }),
    ...(isLabelled && { labels: { ...labels } })
  }
  return { encoded, config: new JobConfig(encoded, { disableValidation: true }) }
}
