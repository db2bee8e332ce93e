/**
 * The schedules of tasks:
 *
 * ```yaml
 * schedules:
 *   - { name: nightly, cron: "0 2 * * *", timeZone: Europe/Berlin, repository: /home/me/project, tasks: tasks, agent: claude }
 * ```
 */
import { DateTime, Either, Schema } from "effect"
import * as CronTicks from "../../domain/CronTicks.js"
import type { Decoded } from "../../yaml/decodeYaml.js"
import { AbsolutePath, mapping, optional, withDefault } from "../../yaml/fields.js"

const text = Schema.NonEmptyString.annotations({ message: () => ({ message: "must be a text", override: true }) })

const Section = mapping({
  name: optional(text),
  cron: optional(text),
  timeZone: optional(text),
  repository: optional(AbsolutePath),
  branch: optional(text),
  tasks: optional(text),
  agent: optional(text)
})

/** The key of the file that this module reads. */
export const fields = {
  schedules: withDefault(
    Schema.Array(Section).annotations({ message: () => "must be a list of schedules, each with keys and values" }),
    () => []
  )
}

export interface ScheduleSettings {
  readonly name: string
  readonly cron: string
  readonly timeZone: string
  readonly config: {
    readonly repoPath: string
    readonly tasksDir: string
    readonly targetBranch: string
    readonly agent?: string
  }
}

const namePattern = /^[a-z][a-z0-9-]{0,62}$/

const required = { name: "nightly", cron: '"0 2 * * *"', repository: "/home/me/project" } as const

/** Reads the schedules, and reports what the schemas do not; do not use them if there are problems. */
export const read = ({
  isMissing,
  report,
  value
}: Decoded<Schema.Struct.Type<typeof fields>>): ReadonlyArray<ScheduleSettings> => {
  const names = new Set<string>()
  return value.schedules.flatMap(({ agent, branch = "main", cron, name, repository, tasks = "tasks", timeZone }, i) => {
    for (const [key, example] of Object.entries(required)) {
      if (isMissing("schedules", i, key))
        report(`schedules.${i} has no ${key}: add one, such as ${key}: ${example}`, "schedules", i)
    }
    if (name === undefined || cron === undefined || repository === undefined) return []
    if (!namePattern.test(name)) {
      const expected = "a lower-case letter and up to 62 further ones, digits and hyphens"
      report(`has a schedule "${name}", whose name must be ${expected}`, "schedules", i, "name")
    }
    if (names.has(name)) report(`has two schedules "${name}"`, "schedules", i, "name")
    names.add(name)
    const zone = timeZone ?? DateTime.zoneToString(DateTime.zoneMakeLocal())
    const ticks = CronTicks.parse(cron, zone)
    if (Either.isLeft(ticks)) report(`has a schedule ${name} that is invalid: ${ticks.left}`, "schedules", i, "cron")
    const config = {
      repoPath: repository,
      tasksDir: tasks,
      targetBranch: branch,
      ...(agent !== undefined && { agent })
    }
    return [{ name, cron, timeZone: zone, config }]
  })
}
