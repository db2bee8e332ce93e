/**
 * Units and tasks for tests of the store.
 */
import { Work } from "charlotte"

export const unit = (name: string, position: number, with_: Partial<Work.UnitRecord> = {}): Work.UnitRecord =>
  new Work.UnitRecord({ unit: name, position, dependsOn: [], state: "pending", ...with_ })

export const task = (
  unit: string,
  number: number,
  position: number,
  with_: Partial<Work.TaskRecord> = {}
): Work.TaskRecord =>
  new Work.TaskRecord({
    unit,
    task: number,
    position,
    title: `${unit} ${number}`,
    state: "pending",
    failures: 0,
    calls: 0,
    notes: [],
    ...with_
  })

/** A plan with this many units and tasks per unit; unit names are in reverse alphabetical order. */
export const planOf = (units: number, tasks: number): Work.Work => {
  const name = (position: number) => `unit ${String(units - position).padStart(4, "0")}`
  const positions = Array.from({ length: units }, (_, position) => position)
  return new Work.Work({
    units: positions.map((position) =>
      unit(name(position), position, { dependsOn: position === 0 ? [] : [name(position - 1)] })
    ),
    tasks: positions.flatMap((position) => Array.from({ length: tasks }, (_, i) => task(name(position), tasks - i, i)))
  })
}
