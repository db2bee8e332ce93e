/**
 * The wordings, and the records in which they come.
 */
import { collected } from "../../tasks/agents/collectedWordings.js"
import { claude, codex, reported, type Wording } from "../../tasks/agents/wordings.js"
import type * as Service from "./Service.js"

export interface Case {
  readonly agent: Service.AgentName
  readonly wording: Wording
}

const by =
  (agent: Service.AgentName) =>
  (wording: Wording): Case => ({ agent, wording })

/** The wordings of other agents come in the records of these in turns, as from a client that passes on what a service says. */
export const cases: ReadonlyArray<Case> = [
  ...claude.map(by("claude")),
  ...codex.map(by("codex")),
  ...[...reported, ...collected].map((wording, at) => by(at % 2 === 0 ? "claude" : "codex")(wording))
]

/** The record with which the turn fails. */
export const failed = ({ agent, wording: { status, text } }: Case): object =>
  agent === "claude"
    ? { type: "result", subtype: "success", is_error: true, result: text, api_error_status: status }
    : { type: "turn.failed", error: { message: text } }
