/**
 * The agents, which of them are refused, and how long agents at their usage limit stay parked.
 */
import type { Agent } from "../api/system.js"
import { now } from "../app/live.js"
import * as format from "../../progress/format.js"
import * as why from "../../progress/reason.js"
import { visible } from "../ui/visible.js"

/** Agents that are refused or at a limit first, then busy agents, then installed agents. */
const rank = ({ inUse, installed, limit, refused }: Agent): number =>
  limit !== undefined || refused !== undefined ? 0 : inUse > 0 ? 1 : installed ? 2 : 3

const State = ({ agent: { inUse, installed, limit, refused } }: { readonly agent: Agent }) => {
  if (limit !== undefined) {
    return (
      <>
        <strong class="warn">
          {limit.refusals > 0 ? "tried again" : "free again"} {format.clockTime(limit.until, now.value)}
        </strong>
        <span class="faint"> {format.ahead(limit.until - now.value)}</span>
        <p class="note-line faint">{visible(why.text(limit.reason))}</p>
      </>
    )
  }
  if (refused !== undefined) {
    return (
      <>
        <strong class="warn">refused</strong>
        <p class="note-line faint">{visible(why.text(refused))}</p>
      </>
    )
  }
  if (!installed) return <span class="faint">not installed</span>
  return inUse > 0 ? <span class="run">at work</span> : <span class="good">free</span>
}

export const Agents = ({ agents }: { readonly agents: ReadonlyArray<Agent> }) => {
  return (
    <section aria-labelledby="agents-title">
      <h2 id="agents-title">Agents</h2>
      <table class="system-table">
        <thead>
          <tr>
            <th scope="col">Agent</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Turns
            </th>
          </tr>
        </thead>
        <tbody>
          {[...agents]
            .sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
            .map((agent) => (
              <tr key={agent.name} class={agent.installed ? "" : "missing"}>
                <th scope="row">{visible(agent.name)}</th>
                <td>
                  <State agent={agent} />
                </td>
                <td class="number">{agent.inUse === 0 ? <span class="faint">–</span> : agent.inUse}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </section>
  )
}
