/**
 * The running turns of agents, and which agents were refused, from the events of jobs.
 */
import type { JobEvent } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import { Fields } from "../../progress/payload.js"
import type { Payload } from "../events.js"

/** The classes of turns that do not show whether the agent is let in. */
const isSilent = new Set(["network", "unanswered", "gone"])

export const make = () => {
  /** The agents of the turns of each job, by unit and task. */
  const jobs = new Map<JobId, Map<string, string>>()
  /** Why the last turns of agents were refused that a person has to see to. */
  const refusals = new Map<string, string>()
  const of = (jobId: JobId) => jobs.get(jobId) ?? new Map<string, string>()

  return {
    record: ({ jobId, payload, task, type, unit }: JobEvent): void => {
      switch (type) {
        case "job.started":
        case "job.resumed":
        case "job.completed":
        case "job.failed":
        case "job.cancelled":
        case "job.interrupted":
        case "job.parked":
          jobs.delete(jobId)
          break
        case "task.agent.started":
          jobs.set(
            jobId,
            of(jobId).set(`${unit}/${task}`, new Fields<Payload<"task.agent.started">>(payload).text("agent"))
          )
          break
        case "task.agent.ended": {
          const agent = of(jobId).get(`${unit}/${task}`)
          of(jobId).delete(`${unit}/${task}`)
          if (agent === undefined) break
          const ended = new Fields<Payload<"task.agent.ended">>(payload)
          const name = ended.text("class") ?? ""
          if (name === "auth" || name === "account") refusals.set(agent, ended.text("reason") ?? "")
          else if (!isSilent.has(name)) refusals.delete(agent)
          break
        }
        // An interrupted turn has no `task.agent.ended`.
        case "unit.failed":
        case "unit.waiting":
          for (const key of of(jobId).keys()) if (key.startsWith(`${unit}/`)) of(jobId).delete(key)
      }
    },
    /** The number of running turns of an agent. */
    of: (agent: string): number =>
      [...jobs.values()].flatMap((turns) => [...turns.values()].filter((other) => other === agent)).length,
    /** Why an agent may not be used: its login, its key or its account was refused, and no turn has shown otherwise since. */
    refusal: (agent: string): string | undefined => refusals.get(agent)
  }
}
