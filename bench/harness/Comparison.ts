/**
 * Compares subjects in turns, so that a machine that gets slower or faster does so for all of them.
 */
import { mkdtempSync, rmSync } from "node:fs"
import type { Settings } from "./Benchmark.js"
import type { Figures } from "./Subject.js"
import { run, type Subject } from "./Subjects.js"

/** A figure of a subject in each of its runs. */
export type Runs<Name extends string> = (name: Name, figure: string) => ReadonlyArray<number>

/** Runs the subjects as often as the settings say. */
export const compare = async <Name extends string>(
  { directory, runs }: Pick<Settings, "directory" | "runs">,
  subjects: { readonly [name in Name]: Subject }
): Promise<Runs<Name>> => {
  const found = new Map<string, Array<Figures>>()
  const roots: Array<string> = []
  const all = Object.entries<Subject>(subjects)
  for (let turn = 0; turn < runs; turn++) {
    // Every other turn runs in reverse order.
    for (const [name, subject] of turn % 2 === 0 ? all : all.toReversed()) {
      // Each run writes to a separate directory.
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
  // Only at the end: to place a new file, some file systems scan past all files deleted in the last minutes.
  for (const root of roots) rmSync(root, { recursive: true, force: true })
  return (name, figure) => (found.get(name) ?? []).map((figures) => figures[figure] ?? Number.NaN)
}
