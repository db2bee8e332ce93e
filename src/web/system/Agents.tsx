/**
 * The agents, and until when those at their usage limit are parked.
 */
import type { Agent } from "../api/system.js"
import { now } from "../app/live.js"
import * as format from "../ui/format.js"
import { visible } from "../ui/visible.js"

/** Those at a limit first, then those at work, then those that are there. */
const rank = ({ inUse, installed, limit }: Agent): number =>
  limit !== undefined ? 0 : inUse > 0 ? 1 : installed ? 2 : 3

const State = ({ agent: { installed, limit } }: { readonly agent: Agent }) => {
  if (limit !== undefined) {
    return (
      <>
        <strong class="warn">free again {format.clockTime(limit.until, now.value)}</strong>
        <span class="faint"> {format.ahead(limit.until - now.value)}</span>
      </>
    )
  }
  return installed ? <span class="good">free</span> : <span class="faint">not installed</span>
}

export const Agents = ({ agents }: { readonly agents: ReadonlyArray<Agent> }) => (
  <section aria-labelledby="agents-title">
    <h2 id="agents-title">Agents</h2>
    <table class="system-agents">
      <thead>
        <tr>
          <th scope="col">Agent</th>
          <th scope="col">State</th>
          <th scope="col" class="number">
            At work
          </th>
          <th scope="col">Reason</th>
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
              <td class="reason">{visible(agent.limit?.reason ?? "")}</td>
            </tr>
          ))}
      </tbody>
    </table>
  </section>
)
