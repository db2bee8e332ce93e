/**
 * The state machine of a run as conditions in SQL, for the schema and the audit: `RunStatus.transitions` is the only list.
 */
import { isTerminal, RunStatus, transitions } from "../../domain/RunStatus.js"

const list = (statuses: ReadonlyArray<RunStatus>): string => `(${statuses.map((status) => `'${status}'`).join(", ")})`

const statusesWhere = (predicate: (status: RunStatus) => boolean): ReadonlyArray<RunStatus> =>
  RunStatus.literals.filter(predicate)

/** Every status, such as `('pending', 'running', …)`. */
export const statuses = list(RunStatus.literals)

/** The statuses of runs that have ended. */
export const terminal = list(statusesWhere(isTerminal))

/** The statuses of runs that wait for nothing: they are running, or have ended. */
export const waitingForNothing = list(statusesWhere((status) => status === "running" || isTerminal(status)))

/** Whether an update keeps the status of a run that has not ended, or changes it as the state machine allows. */
export const isTransition = statusesWhere((status) => !isTerminal(status))
  .map((status) => `(OLD.status = '${status}' AND NEW.status IN ${list([status, ...transitions[status]])})`)
  .join("\n      OR ")

/** The types of terminal events. */
export const terminalEvents = `(${statusesWhere(isTerminal)
  .map((status) => `'job.${status}'`)
  .join(", ")})`
