/**
 * Stops, resumes or retries several jobs, a few at once, and reports the results.
 */
import type { ListedJob, RetriedJobs, StopReport } from "../api/models.js"
import * as format from "../../progress/format.js"
import { approvalSignal, isDue } from "../../progress/waiting.js"

/** A browser opens six connections to a server, and the events use one. */
const concurrency = 4

export interface Outcome<A> {
  readonly done: ReadonlyArray<A>
  readonly errors: ReadonlyArray<Error>
}

export const forEach = async <A>(
  ids: ReadonlyArray<string>,
  action: (id: string) => Promise<A>
): Promise<Outcome<A>> => {
  const queue = [...ids]
  const done: Array<A> = []
  const errors: Array<Error> = []
  const work = async (): Promise<void> => {
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      try {
        done.push(await action(id))
      } catch (error) {
        errors.push(error instanceof Error ? error : new Error(String(error)))
      }
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  return { done, errors }
}

const rest = (errors: ReadonlyArray<Error>): string => {
  const [first] = errors
  return first === undefined ? "" : `${format.count(errors.length, "job")} refused: ${first.message}`
}

/** Throws if any stop was refused, or any job has not ended. */
export const stopText = ({ done, errors }: Outcome<StopReport>): string => {
  const killed = done.flatMap(({ killed = [] }) => killed)
  const late = done.filter(({ mode }) => mode === "timedOut").length
  const before = done.filter(({ mode }) => mode === "alreadyEnded").length
  const over = done.length - late - before
  const names = killed.slice(0, 3).map(({ command, pid }) => `${command} ${pid}`)
  const forced =
    killed.length === 0
      ? ""
      : `, ${format.count(killed.length, "process", "processes")} killed (${names.join(", ")}${killed.length > 3 ? ", …" : ""})`
  const longest = Math.max(...done.map(({ elapsed }) => elapsed))
  const text = [
    over > 0 ? `${format.count(over, "job")} stopped in ${format.span(longest)}${forced}` : "",
    before === 0 ? "" : `${format.count(before, "job")} had ended before`,
    late === 0 ? "" : `${format.count(late, "job")} still stopping`,
    rest(errors)
  ]
    .filter((part) => part !== "")
    .join("; ")
  if (errors.length === 0 && late === 0) return text || "No job to stop"
  throw new Error(text)
}

export const resumeText = ({ done, errors }: Outcome<void>): string => {
  const text = `${format.count(done.length, "job")} resumed`
  if (errors.length === 0) return text
  throw new Error([done.length === 0 ? "" : text, rest(errors)].filter((part) => part !== "").join("; "))
}

export const retryText = ({ done, errors }: Outcome<string>): string => {
  const text = `${format.count(done.length, "job")} retried`
  if (errors.length === 0) return text
  throw new Error([done.length === 0 ? "" : text, rest(errors)].filter((part) => part !== "").join("; "))
}

/** Throws if any job was refused. */
export const retriedText = ({
  problem = "",
  refused,
  retried
}: Pick<RetriedJobs, "problem" | "refused" | "retried">): string => {
  const text = `${format.count(retried, "job")} retried`
  if (refused === 0) return text
  throw new Error(`${text}; ${format.count(refused, "job")} refused: ${problem}`)
}

export const canStop = ({ status }: Pick<ListedJob, "status">): boolean =>
  status === "running" || status === "pending" || status === "parked" || status === "interrupted"

interface Resumable extends Pick<ListedJob, "status"> {
  readonly waitsFor?: string | undefined
  readonly parked?: { readonly signal?: string | undefined } | undefined
}

/** A job that waits for an approval is approved or rejected instead. */
export const canResume = ({ parked, status, waitsFor }: Resumable): boolean =>
  status === "interrupted" || (status === "parked" && !isDue(waitsFor) && parked?.signal !== approvalSignal)
