/** The tool that explains why a job has failed, or what it needs. */
import { DateTime, Effect, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import { RunStatus } from "../../domain/RunStatus.js"
import type { Job } from "../../http/contract/Api.js"
import * as remedy from "../../progress/remedy.js"
import type { Permission } from "./Permission.js"
import * as logTail from "../run/logTail.js"
import * as Summary from "../run/Summary.js"
import * as unfinishedWork from "../show/unfinishedWork.js"
import * as JobRef from "../target/JobRef.js"
import * as JobSource from "../target/JobSource.js"
import * as inputs from "./inputs.js"
import { needsPerson, openQuestions } from "./needsPerson.js"
import * as page from "./page.js"
import * as Tool from "./Tool.js"
import * as Untrusted from "./Untrusted.js"

/** The tools that do what these commands do. */
const tools = { answer: "answer", approve: "approve", land: "land", resume: "retry", retry: "retry" } as const
const needed: Readonly<Record<string, Permission>> = { approve: "approve", land: "land" }

const isTool = (verb: string): verb is keyof typeof tools => Object.hasOwn(tools, verb)

/** What helps: a tool, or a command of the person. */
const helps = (job: Job, allowed: ReadonlySet<Permission>) => {
  const command = remedy.commandFor({ ...job, questions: openQuestions(job) })
  const [program, verb = ""] = command.split(" ")
  // Only a person decides how much more a job may spend.
  const isOurs = program === "charlotte" && isTool(verb) && job.parked?.limits === undefined
  if (!isOurs) return { command: Untrusted.line(command) }
  const permission = needed[verb]
  return permission === undefined || allowed.has(permission)
    ? { tool: tools[verb] }
    : { command: Untrusted.line(command) }
}

/** How many failures have the end of the log. */
const withOutput = 3
const outputLines = 30

const failures = (summary: Summary.Summary) =>
  Effect.forEach(summary.failures, ({ attempts, log, reason, said, task, title, unit }, index) =>
    Effect.gen(function* () {
      const output = log === undefined || index >= withOutput ? [] : yield* logTail.read({ file: log }, outputLines)
      return {
        ...{ unit, task, attempts },
        reason: Untrusted.line(reason),
        ...(title !== undefined && { title: Untrusted.line(title) }),
        ...(said !== undefined && { said: Untrusted.line(said) }),
        ...(output.length > 0 && { output: Untrusted.lines(output.join("\n")) })
      }
    })
  )

export const explain = (allowed: ReadonlySet<Permission>) =>
  Tool.make({
    name: "explain",
    description:
      "Explain why a job has failed, what it waits for, what a person has to do, and what has landed; with the questions of its agents, and the end of the output of what has failed. Names the tool that helps; if only a person may do that, the command to show them.",
    hints: Tool.reads,
    input: Schema.Struct({ job: inputs.job }),
    output: Schema.Struct({
      id: JobId,
      status: RunStatus,
      needsPerson: Schema.Boolean,
      why: Schema.optional(Untrusted.Untrusted),
      next: Schema.optional(
        Schema.Struct({
          tool: Schema.optional(Schema.Literal(...Object.values(tools))),
          command: Schema.optional(Untrusted.Untrusted)
        }).annotations({ description: "What helps: a tool to call, or a command for the person to run." })
      ),
      questions: Schema.Array(Schema.Struct({ unit: Schema.String, task: Schema.Int, question: Untrusted.Untrusted })),
      approval: Schema.optional(
        Schema.Struct({ commit: Schema.String, diff: Schema.optional(Untrusted.Untrusted) }).annotations({
          description: "The result that waits for approval, and the command that shows its changes."
        })
      ),
      failures: Schema.Array(
        Schema.Struct({
          unit: Schema.String,
          task: Schema.optional(Schema.Int),
          title: Schema.optional(Untrusted.Untrusted),
          attempts: Schema.optional(Schema.Int),
          reason: Untrusted.Untrusted,
          said: Schema.optional(
            Schema.Struct(Untrusted.Untrusted.fields).annotations({ description: "What the agent said last." })
          ),
          output: Schema.optional(Untrusted.Untrusted)
        })
      ),
      notes: Schema.Array(Untrusted.Untrusted).annotations({ description: "What is known about gates and tasks." }),
      branch: Schema.optional(Schema.String.annotations({ description: "The branch with the result." })),
      target: Schema.optional(Schema.String),
      landed: Schema.optional(
        Schema.String.annotations({ description: "The commit to which the target branch was advanced." })
      ),
      notLanded: Schema.optional(Untrusted.Untrusted)
    }),
    run: ({ job: name }) =>
      Effect.gen(function* () {
        const jobs = yield* JobSource.read
        const job = yield* Effect.flatMap(JobRef.find(jobs, yield* inputs.reference(name)), jobs.get)
        const unfinished = yield* unfinishedWork.of(job, job)
        const questions = openQuestions(job)
        const summary = Summary.of({ run: job, work: job, questions, unfinished }, yield* DateTime.now)
        const needs = needsPerson(job)
        const { approval } = job.parked ?? {}
        return {
          id: job.id,
          status: job.status,
          needsPerson: needs,
          ...((needs || job.error !== undefined) && {
            why: Untrusted.line(remedy.reasonFor({ ...job, questions })),
            next: helps(job, allowed)
          }),
          questions: page.fitting(
            questions.map(({ question, task, unit }) => ({ unit, task, question: Untrusted.lines(question) }))
          ),
          ...(approval && {
            approval: { commit: approval.commit, ...(summary.diff && { diff: Untrusted.line(summary.diff) }) }
          }),
          failures: page.fitting(yield* failures(summary)),
          notes: page.fitting([
            ...summary.gates.map(({ task, text, unit }) =>
              Untrusted.line([unit, task, text].filter(Boolean).join(" "))
            ),
            ...summary.notes.map(({ note, task, unit }) => Untrusted.line(`${unit} ${task} ${note}`))
          ]),
          branch: summary.branch,
          target: summary.target,
          landed: summary.landed,
          ...(summary.notLanded && { notLanded: Untrusted.line(summary.notLanded) })
        }
      })
  })
