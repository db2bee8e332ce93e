/**
 * The running turns of agents, from the events of jobs.
 */
import type { JobEvent } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import { Fields } from "../../progress/payload.js"
import type { Payload } from "../events.js"

export interface AgentTurns {
  readonly record: (event: JobEvent) => void
  /** The number of running turns of an agent. */
  readonly of: (agent: string) => number
}

export const make = (): AgentTurns => {
  /** The agents of the turns of each job, by unit and task. */
  const jobs = new Map<JobId, Map<string, string>>()

  const begin = (jobId: JobId, task: string, agent: string) => {
    const turns = jobs.get(jobId) ?? new Map<string, string>()
    jobs.set(jobId, turns.set(task, agent))
  }

  return {
    record: ({ jobId, payload, task, type, unit }) => {
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
          begin(jobId, `${unit}/${task}`, new Fields<Payload<"task.agent.started">>(payload).text("agent"))
          break
        case "task.agent.ended":
          jobs.get(jobId)?.delete(`${unit}/${task}`)
          break
        // An interrupted turn has no `task.agent.ended`.
        case "unit.failed":
        case "unit.waiting": {
          const turns = jobs.get(jobId)
          for (const key of turns?.keys() ?? []) if (key.startsWith(`${unit}/`)) turns?.delete(key)
        }
      }
    },
    of: (agent) => [...jobs.values()].flatMap((turns) => [...turns.values()].filter((other) => other === agent)).length
  }
}
