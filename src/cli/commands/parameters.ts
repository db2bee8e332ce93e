/**
 * Options and arguments that several commands share.
 */
import { Duration, Either } from "effect"
import { maxQueryLength } from "../../store/rules/searchText.js"
import * as JobRef from "../target/JobRef.js"
import * as Parameter from "../parser/Parameter.js"

export const tasksDir = Parameter.argument("tasksDir", {
  description: "The task directory, relative to the current directory or to --repo.",
  source: "directories",
  decode: Either.right
})

const jobSettings = {
  description: 'A job id, a unique prefix or suffix of it (4+ characters), or "latest".',
  source: "jobs",
  decode: JobRef.parse
} as const

export const job = Parameter.argument("job", jobSettings)

export const optionalJob = Parameter.optionalArgument("job", jobSettings)

export const jobs = Parameter.repeatedArgument("job", jobSettings)

/** Names of units. */
export const units = (description: string) =>
  Parameter.repeatedOption("unit", { placeholder: "UNIT", description, source: "units" }, Either.right)

export const repo = Parameter.textOption("repo", {
  placeholder: "DIR",
  description: "A directory in the git repository to use (default: the current directory).",
  source: "directories"
})

export const target = Parameter.textOption("target", {
  placeholder: "BRANCH",
  description: "The branch that receives the result (default: the one that is checked out).",
  source: "branches"
})

export const retryTarget = Parameter.textOption("target", {
  placeholder: "BRANCH",
  description: "The branch that receives the result (default: that of the former job).",
  source: "branches"
})

export const agent = Parameter.textOption("agent", {
  placeholder: "NAME",
  description: "The agent that works on the tasks (default: the one in charlotte.yaml).",
  source: "agents"
})

/** A positive whole number. */
export const number = (name: string, description: string) =>
  Parameter.option(name, { placeholder: "N", description }, (text) =>
    /^[1-9]\d{0,5}$/.test(text) ? Either.right(Number(text)) : Either.left("a whole number, 1 or more")
  )

/** In milliseconds. */
const timeUnits = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 }

type TimeUnit = keyof typeof timeUnits

/** Other names of the units, as in configuration files. */
const unitNames: ReadonlyMap<string, TimeUnit> = new Map<string, TimeUnit>([
  ["m", "min"],
  ...Object.entries({ milli: "ms", second: "s", minute: "min", hour: "h", day: "d", week: "w" } as const).flatMap(
    ([name, unit]) => [[name, unit] as const, [`${name}s`, unit] as const, [unit, unit] as const]
  )
])

/** A million weeks, so that now and later have a date. */
const longest = 1e6 * timeUnits.w

/** Parses `5s`, `2 min`, `1 second` or `30 minutes`, in one of the units. */
export const durationOf = (text: string, units: ReadonlyArray<TimeUnit>): Duration.Duration | undefined => {
  const [, number, name = ""] = /^(\d{1,9}) ?([a-z]+)$/.exec(text) ?? []
  const unit = unitNames.get(name)
  if (unit === undefined || !units.includes(unit)) return undefined
  const millis = Number(number) * timeUnits[unit]
  return millis <= longest ? Duration.millis(millis) : undefined
}

/** A duration such as `5s`, up to a day. */
export const span = (name: string, description: string) =>
  Parameter.option(name, { placeholder: "TIME", description }, (text) => {
    const duration = durationOf(text, ["ms", "s", "min", "h"])
    return duration !== undefined && Duration.lessThanOrEqualTo(duration, Duration.days(1))
      ? Either.right(duration)
      : Either.left("a duration of at most a day, such as 500ms, 5s or 2min")
  })

/** An age such as `7d`. */
export const age = (name: string, description: string) =>
  Parameter.option(name, { placeholder: "AGE", description }, (text) =>
    Either.fromNullable(durationOf(text, ["min", "h", "d", "w"]), () => "a duration, such as 12h, 7d or 2w")
  )

export const concurrency = number("concurrency", "How many units to work on in parallel (default: 4).")

export const land = Parameter.choiceOption(
  "land",
  "WHAT",
  ["auto", "done", "ask", "pull-request", "never"],
  "What lands: auto, all units or nothing; done, the units that are done; ask, all units once you approve; pull-request, a pull request with all units instead; or never (default: as charlotte.yaml says, or auto)."
)

export const conflicts = Parameter.choiceOption(
  "conflicts",
  "WHAT",
  ["agent", "fail"],
  "What happens to a unit that conflicts with those merged before it: agent, one turn of its agent resolves that; or fail (default: as charlotte.yaml says, or fail)."
)

export const noLand = Parameter.flag("no-land", {
  description: "Leave the result on its own branch and the target branch unchanged."
})

export const dryRun = Parameter.flag("dry-run", { description: "Show what would be done without doing it." })

export const json = Parameter.flag("json", {
  description: "Print JSON, one document a line; errors too, on standard error."
})

export const labels = Parameter.repeatedOption(
  "label",
  { placeholder: "KEY=VALUE", description: "A label to find jobs by; can be repeated." },
  (text) => {
    const at = text.indexOf("=")
    return at > 0 && at < text.length - 1
      ? Either.right([text.slice(0, at), text.slice(at + 1)] as const)
      : Either.left("KEY=VALUE, such as team=web")
  }
)

export const search = (description: string) =>
  Parameter.option("search", { placeholder: "TEXT", description }, (text) =>
    text.length <= maxQueryLength ? Either.right(text) : Either.left(`at most ${maxQueryLength} characters`)
  )

/** The options that describe a job. */
export const submit = {
  tasksDir,
  unit: units("Work only on this unit and what it depends on, as if the others were not in the plan; can be repeated."),
  repo,
  target,
  agent,
  concurrency,
  land,
  noLand,
  conflicts,
  dryRun,
  labels
}
