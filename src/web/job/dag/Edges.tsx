import { memo } from "../../ui/memo.js"
import { type Edge, type Layout, nodeHeight, nodeWidth } from "./layout.js"

const curve = (x1: number, y1: number, x2: number, y2: number): string => {
  const bend = Math.max(24, (x2 - x1) / 2)
  return `C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`
}

const path = ({ positions }: Layout, { from, to, way }: Edge): string => {
  const start = positions.get(from)
  const end = positions.get(to)
  if (start === undefined || end === undefined) return ""
  let [x, y] = [start.x + nodeWidth, start.y + nodeHeight / 2]
  let drawn = `M${x} ${y}`
  for (const point of way) {
    drawn += `${curve(x, y, point.x - nodeWidth / 2, point.y)}H${point.x + nodeWidth / 2}`
    x = point.x + nodeWidth / 2
    y = point.y
  }
  return drawn + curve(x, y, end.x, end.y + nodeHeight / 2)
}

/** Highlights the edges of the selected unit. */
export const Edges = memo<{ readonly layout: Layout; readonly selected: string | undefined }>(
  ({ layout, selected }) => {
    const isNear = ({ from, to }: Edge): boolean => from === selected || to === selected
    return (
      <svg class="graph-edges" width={Math.max(1, layout.width)} height={Math.max(1, layout.height)} aria-hidden="true">
        <path
          d={layout.edges
            .filter((edge) => !isNear(edge))
            .map((edge) => path(layout, edge))
            .join("")}
        />
        <path
          class="near"
          d={layout.edges
            .filter(isNear)
            .map((edge) => path(layout, edge))
            .join("")}
        />
      </svg>
    )
  }
)
