/**
 * The node that an arrow key selects.
 */
import type { Layout } from "./layout.js"

export type Direction = "left" | "right" | "up" | "down" | "first" | "last"

/** Left and right follow a dependency if there is one; otherwise, they lead to the nearest node of the next column. */
export const neighbour = (
  { columns, edges, positions }: Layout,
  id: string,
  direction: Direction
): string | undefined => {
  const here = positions.get(id)
  if (here === undefined || direction === "first") return columns[0]?.[0]
  if (direction === "last") return columns.at(-1)?.at(-1)
  if (direction === "up") return columns[here.column]?.[here.row - 1]
  if (direction === "down") return columns[here.column]?.[here.row + 1]
  const linked =
    direction === "left"
      ? edges.filter(({ to }) => to === id).map(({ from }) => from)
      : edges.filter(({ from }) => from === id).map(({ to }) => to)
  const beside = columns[here.column + (direction === "left" ? -1 : 1)] ?? []
  const candidates = linked.length > 0 ? linked : beside
  const distance = (other: string): number => Math.abs((positions.get(other)?.y ?? 0) - here.y)
  return [...candidates].sort((a, b) => distance(a) - distance(b))[0]
}
