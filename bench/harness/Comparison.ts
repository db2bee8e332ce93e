/**
 * Subjects side by side: they take turns, so that a machine that gets slower or faster does so for all of them.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { median, type Settings } from "./Benchmark.js"
import type { Figures } from "./Subject.js"
import { run, type Subject } from "./Subjects.js"

export type Medians<Name extends string> = (name: Name, figure: string) => number

/** The medians of the figures of each subject. */
export const compare = async <Name extends string>(
  { directory, runs }: Pick<Settings, "directory" | "runs">,
  subjects: { readonly [name in Name]: Subject }
): Promise<Medians<Name>> => {
  const found = new Map<string, Array<Figures>>()
  const roots: Array<string> = []
  const all = Object.entries<Subject>(subjects)
  for (let turn = 0; turn < runs; turn++) {
    // Every other turn begins at the other end.
    for (const [name, subject] of turn % 2 === 0 ? all : all.toReversed()) {
      // Each has a place of its own for what it writes.
      const root = mkdtempSync(`${directory}/run-`)
      roots.push(root)
      const figures = await run({
        ...subject,
        parameters: { root, file: `${root}/charlotte.db`, ...subject.parameters }
      })
      found.set(name, [...(found.get(name) ?? []), figures])
      process.stderr.write(".")
    }
  }
  // Not before: some file systems look for a place for a new file past all that were deleted in the last minutes.
  for (const root of roots) rmSync(root, { recursive: true, force: true })
  return (name, figure) => median((found.get(name) ?? []).map((figures) => figures[figure] ?? Number.NaN))
}
