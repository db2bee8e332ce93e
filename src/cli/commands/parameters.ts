/**
 * Options and arguments that several commands have; what they mean is said once.
 */
import * as Args from "@effect/cli/Args"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import { Duration, Effect } from "effect"
import * as JobRef from "../JobRef.js"

/** What a command is for, and how it is called. */
export const about = (purpose: string, example: string): HelpDoc.HelpDoc =>
  HelpDoc.blocks([HelpDoc.p(purpose), HelpDoc.p(`Example: ${example}`)])

const invalid = (problem: string) => ValidationError.invalidValue(HelpDoc.p(problem))

export const tasksDir = Args.text({ name: "tasksDir" }).pipe(
  Args.withDescription("The directory of tasks, relative to the current directory, or to that of --repo.")
)

export const job = Args.text({ name: "job" }).pipe(
  Args.withDescription("The id of the job, four or more characters of its beginning or its end, or: latest."),
  Args.mapEffect((text) => Effect.mapError(JobRef.parse(text), ({ message }) => HelpDoc.p(message)))
)

export const repo = Options.text("repo").pipe(
  Options.withPseudoName("DIR"),
  Options.optional,
  Options.withDescription("A directory in the git repository to work in; else the current directory.")
)

export const target = Options.text("target").pipe(
  Options.withPseudoName("BRANCH"),
  Options.optional,
  Options.withDescription("The branch that the result lands on; else the one that is checked out.")
)

export const agent = Options.text("agent").pipe(
  Options.withPseudoName("NAME"),
  Options.optional,
  Options.withDescription("The agent that works on the tasks; else the one that charlotte.yaml names.")
)

/** A whole number, if it is given. */
export const number = (name: string, description: string) =>
  Options.text(name).pipe(
    Options.withPseudoName("N"),
    Options.mapEffect((text) =>
      /^[1-9]\d{0,5}$/.test(text)
        ? Effect.succeed(Number(text))
        : Effect.fail(invalid(`--${name} must be a whole number, 1 or more, and not "${text}"`))
    ),
    Options.optional,
    Options.withDescription(description)
  )

const units: { readonly [unit: string]: number } = { ms: 1, s: 1_000, min: 60_000, m: 60_000, h: 3_600_000 }

/** A time such as `5s`, if it is given; up to a day. */
export const span = (name: string, description: string) =>
  Options.text(name).pipe(
    Options.withPseudoName("TIME"),
    Options.mapEffect((text) => {
      const [, number, unit = ""] = /^(\d{1,9}) ?(ms|s|min|m|h)$/.exec(text) ?? []
      const millis = Number(number) * (units[unit] ?? NaN)
      return millis <= 24 * 3_600_000
        ? Effect.succeed(Duration.millis(millis))
        : Effect.fail(
            invalid(`--${name} must be a duration with its unit, such as 5s, 500ms or 2min, and not "${text}"`)
          )
    }),
    Options.optional,
    Options.withDescription(description)
  )

const days: { readonly [unit: string]: number } = { ...units, d: 86_400_000, w: 7 * 86_400_000 }

/** How long ago, such as `7d`, if it is given. */
export const age = (name: string, description: string) =>
  Options.text(name).pipe(
    Options.withPseudoName("AGE"),
    Options.mapEffect((text) => {
      const [, number, unit = ""] = /^(\d{1,6}) ?(min|m|h|d|w)$/.exec(text) ?? []
      const millis = Number(number) * (days[unit] ?? NaN)
      return Number.isNaN(millis)
        ? Effect.fail(invalid(`--${name} must be a duration with its unit, such as 12h, 7d or 2w, and not "${text}"`))
        : Effect.succeed(Duration.millis(millis))
    }),
    Options.optional,
    Options.withDescription(description)
  )

export const concurrency = number("concurrency", "How many units are worked on at the same time; else 4.")

export const noLand = Options.boolean("no-land").pipe(
  Options.withDescription("Leaves the result on its own branch, and the target as it is.")
)

export const dryRun = Options.boolean("dry-run").pipe(
  Options.withDescription("Looks at everything, and touches nothing.")
)

export const json = Options.boolean("json").pipe(
  Options.withDescription("Writes JSON, for programs; errors too, on the standard error.")
)

/** Free words to find jobs by, each given as `KEY=VALUE`. */
export const labels = Options.text("label").pipe(
  Options.withPseudoName("KEY=VALUE"),
  Options.repeated,
  Options.mapEffect((texts) => Effect.map(Effect.forEach(texts, label), Object.fromEntries<string>)),
  Options.withDescription("A label to find the job by; can be repeated.")
)

const label = (text: string) => {
  const at = text.indexOf("=")
  return at > 0 && at < text.length - 1
    ? Effect.succeed([text.slice(0, at), text.slice(at + 1)] as const)
    : Effect.fail(invalid(`--label must be KEY=VALUE, such as team=web, and not "${text}"`))
}
