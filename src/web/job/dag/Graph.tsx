/**
 * The units of a job as a graph that can be zoomed and moved by pointer and keyboard.
 */
import { useComputed, useSignal } from "@preact/signals"
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks"
import { useKeys } from "../../app/keys.js"
import { useWheelZoom } from "../../ui/useWheelZoom.js"
import { visible } from "../../ui/visible.js"
import type { JobModel } from "../../../progress/JobModel.js"
import { collapse, expand, type Node } from "./collapse.js"
import { Edges } from "./Edges.js"
import { GraphNode } from "./GraphNode.js"
import { layout, nodeHeight, nodeWidth } from "./layout.js"
import { type Direction, neighbour } from "./neighbour.js"
import { useDrag } from "./useDrag.js"

/** In a larger plan, similar units are merged until the user asks to see all. */
const many = 40

const closest = 2
const farthest = 0.2

const directions: { readonly [key: string]: Direction } = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  Home: "first",
  End: "last"
}

export interface Props {
  readonly model: JobModel
  readonly version: number
  readonly selected: string | undefined
  readonly onSelect: (unit: string) => void
}

export const Graph = ({ model, onSelect, selected, version }: Props) => {
  const opened = useSignal<ReadonlySet<string>>(new Set())
  const showsAll = useSignal(model.units.size <= many)
  const zoom = useSignal(1)
  const focused = useSignal<string | undefined>(undefined)
  const canvas = useRef<HTMLDivElement>(null)
  const box = useRef<HTMLDivElement>(null)
  const drag = useDrag(box)

  const units = [...model.units.values()]
  // The structure of the graph changes less often than its content.
  const shape = showsAll.value
    ? `all ${model.planVersion}`
    : `${model.planVersion} ${[...opened.value].join()} ${selected} ${units.map(({ state }) => state).join()}`
  const nodes: ReadonlyArray<Node> = useMemo(() => {
    const shown = new Set(opened.value)
    if (selected !== undefined) shown.add(selected)
    return showsAll.value ? expand(units) : collapse(units, shown)
  }, [shape, showsAll.value])
  const laid = useMemo(() => layout(nodes), [nodes])

  const nodeOf = (unit: string | undefined): string | undefined =>
    nodes.find(({ units }) => units.includes(unit ?? ""))?.id
  const current = nodes.some(({ id }) => id === focused.value) ? focused.value : (nodeOf(selected) ?? nodes[0]?.id)

  /** Keeps the centre of the visible part in place. */
  const zoomTo = (next: number): void => {
    const element = box.current
    const limited = Math.min(closest, Math.max(farthest, next))
    if (element === null || limited === zoom.value) return
    const factor = limited / zoom.value
    const left = (element.scrollLeft + element.clientWidth / 2) * factor - element.clientWidth / 2
    const top = (element.scrollTop + element.clientHeight / 2) * factor - element.clientHeight / 2
    zoom.value = limited
    requestAnimationFrame(() => element.scrollTo({ left, top }))
  }

  const fit = (): void => {
    const element = box.current
    if (element === null || laid.width === 0) return
    const space = 32
    const whole = Math.min((element.clientWidth - space) / laid.width, (element.clientHeight - space) / laid.height)
    zoomTo(Math.min(1.5, whole))
  }

  const reveal = (id: string | undefined): void => {
    const element = box.current
    const position = laid.positions.get(id ?? "")
    if (element === null || position === undefined) return
    const [x, y] = [position.x * zoom.value, position.y * zoom.value]
    const isSeen =
      x >= element.scrollLeft &&
      y >= element.scrollTop &&
      x + nodeWidth * zoom.value <= element.scrollLeft + element.clientWidth &&
      y + nodeHeight * zoom.value <= element.scrollTop + element.clientHeight
    if (!isSeen) element.scrollTo({ left: x - element.clientWidth / 3, top: y - element.clientHeight / 3 })
  }

  // Fit only once, so that a plan which nearly fits is seen whole; not so small that it cannot be read.
  useLayoutEffect(() => {
    fit()
    if (zoom.value < 0.6) zoom.value = 0.85
  }, [])
  const shownNode = nodeOf(selected)
  useEffect(() => {
    // Wait until the graph has its new size.
    const frame = requestAnimationFrame(() => reveal(shownNode))
    return () => cancelAnimationFrame(frame)
  }, [shownNode, showsAll.value])

  useWheelZoom(box, (factor) => zoomTo(zoom.value * factor))

  const toggleAll = (): void => {
    opened.value = new Set()
    showsAll.value = !showsAll.value
  }
  useKeys("Graph", [
    { keys: "+", label: "Zoom in", run: () => zoomTo(zoom.value * 1.25) },
    { keys: "-", label: "Zoom out", run: () => zoomTo(zoom.value / 1.25) },
    { keys: "0", label: "Fit into view", run: fit },
    { keys: "a", label: "Merge alike units, or show all", run: toggleAll }
  ])

  const focus = (id: string): void => {
    focused.value = id
    const button = canvas.current?.querySelector(`[data-node="${CSS.escape(id)}"]`)
    if (button instanceof HTMLElement) button.focus()
  }

  const onKeyDown = (event: KeyboardEvent): void => {
    const direction = directions[event.key]
    if (direction === undefined || current === undefined) return
    event.preventDefault()
    const next = neighbour(laid, current, direction)
    if (next !== undefined) focus(next)
  }

  const press = (node: Node): void => {
    if (node.units.length > 1) {
      opened.value = new Set([...opened.value, ...node.units])
      focused.value = node.id
    } else onSelect(node.id)
  }

  const scale = useComputed(() => `scale(${zoom.value})`)
  const width = Math.ceil(laid.width * zoom.value)
  const height = Math.ceil(laid.height * zoom.value)
  return (
    <div class="graph">
      <div class="graph-tools">
        {model.units.size > many && (
          <button type="button" aria-pressed={showsAll.value} onClick={toggleAll}>
            Show all {model.units.size} units
          </button>
        )}
        <span class="grow" />
        <button type="button" aria-label="Zoom out" onClick={() => zoomTo(zoom.value / 1.25)}>
          −
        </button>
        <button type="button" onClick={fit}>
          Fit
        </button>
        <button type="button" aria-label="Zoom in" onClick={() => zoomTo(zoom.value * 1.25)}>
          +
        </button>
      </div>
      <div ref={box} class="graph-box" role="group" aria-label="Units" onKeyDown={onKeyDown} {...drag}>
        <div class="graph-space" style={{ width: `${width}px`, height: `${height}px` }}>
          <div ref={canvas} class="graph-canvas" style={{ transform: scale.value }}>
            <Edges layout={laid} selected={shownNode} />
            {nodes.map((node) => (
              <GraphNode
                key={node.id}
                node={node}
                unit={model.units.get(node.id)}
                version={version}
                position={laid.positions.get(node.id)}
                isSelected={selected !== undefined && node.units.includes(selected)}
                isTabStop={node.id === current}
                label={visible(node.id)}
                onPress={() => press(node)}
                onFocus={() => (focused.value = node.id)}
              />
            ))}
          </div>
        </div>
      </div>
    </div>
  )
}
