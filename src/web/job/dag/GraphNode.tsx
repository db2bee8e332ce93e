import { memo } from "../../ui/memo.js"
import { StateMark } from "../State.js"
import { stateOf, type Unit } from "../../../progress/JobModel.js"
import { stateText } from "../../../progress/shownState.js"
import type { Node } from "./collapse.js"
import type { Position } from "./layout.js"

interface Props {
  readonly node: Node
  /** The first unit of the node. */
  readonly unit: Unit | undefined
  readonly version: number
  readonly position: Position | undefined
  readonly isSelected: boolean
  readonly isTabStop: boolean
  readonly label: string
  readonly onPress: () => void
  readonly onFocus: () => void
}

/** The text below the name. */
const details = ({ node, unit }: Pick<Props, "node" | "unit">): string => {
  if (node.units.length > 1) return `${node.units.length} units`
  if (unit === undefined) return ""
  if (unit.waiting !== undefined) return "waits"
  const tasks = [...unit.tasks.values()]
  const done = tasks.filter(({ state }) => state === "completed" || state === "skipped").length
  const failed = tasks.filter(({ state }) => state === "failed").length
  const attempt = Math.max(
    0,
    ...tasks.filter(({ state }) => state === "running").map(({ attempts }) => attempts.at(-1)?.number ?? 0)
  )
  const verifying = unit.spans.at(-1)?.kind === "verifying" && unit.spans.at(-1)?.to === undefined
  return [
    verifying ? "verifying" : `${done}/${tasks.length}`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(attempt > 1 ? [`attempt ${attempt}`] : [])
  ].join(" · ")
}

const View = ({ isSelected, isTabStop, label, node, onFocus, onPress, position, unit }: Props) => {
  const isGroup = node.units.length > 1
  const state = unit === undefined ? node.state : stateOf(unit)
  return (
    <button
      type="button"
      class={`node state-${state}${isGroup ? " group" : ""}`}
      data-node={node.id}
      tabIndex={isTabStop ? 0 : -1}
      {...(isGroup ? { "aria-expanded": false } : { "aria-pressed": isSelected })}
      style={{ transform: `translate(${position?.x ?? 0}px, ${Math.round(position?.y ?? 0)}px)` }}
      onClick={onPress}
      onFocus={onFocus}
    >
      <StateMark state={state} />
      <span class="node-text">
        <span class="node-name">{isGroup ? `${node.units.length} × ${stateText(state)}` : label}</span>
        <span class="node-details">
          {isGroup ? `${label} …` : details({ node, unit })}
          <span class="visually-hidden">, {isGroup ? "show them" : stateText(state)}</span>
        </span>
      </span>
    </button>
  )
}

/** Units change in place, so `version` shows changes; a callback may be outdated, since all callbacks do the same. */
export const GraphNode = memo<Props>(
  View,
  (before, after) =>
    before.node === after.node &&
    before.version === after.version &&
    before.position === after.position &&
    before.isSelected === after.isSelected &&
    before.isTabStop === after.isTabStop
)
