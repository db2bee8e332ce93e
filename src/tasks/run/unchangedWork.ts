/**
 * Whether a gate that has failed again, after a turn that changed nothing, calls for a person.
 */
import { wording } from "../agents/answered.js"
import type * as Prompt from "../agents/Prompt.js"
import { saidLine } from "../../progress/reason.js"
import type { CommandResult } from "./runCommand.js"

/** The exit codes with which a shell says that it could not run a command. */
const notRun = [126, 127]

/** Whether a gate has judged the work: it has neither timed out, nor could it not be run. */
export const isVerdict = ({ outcome }: CommandResult): boolean =>
  outcome._tag === "Exited" && !notRun.includes(outcome.code)

/** Whether a failure is like another one, apart from numbers. */
export const isAlike =
  (reason: string) =>
  (previous: Prompt.Previous): boolean =>
    wording(previous.reason) === wording(reason)

/** What a person is asked if the agent changes nothing and asks nothing. */
export const question = (reason: string, said: string | undefined): string =>
  `it changes nothing, and ${reason}. What should be done?${said === undefined ? "" : ` It said: ${saidLine(said)}`}`
