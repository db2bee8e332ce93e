/**
 * What the filters suggest: the kinds and the labels of the jobs that were listed so far.
 */
import { signal } from "@preact/signals"
import type { ListedJob } from "../api/models.js"

export const kinds = signal<ReadonlySet<string>>(new Set())

/** As they are typed: `team=web`. */
export const labels = signal<ReadonlySet<string>>(new Set())

/** Where each job has a label of its own, most of them help no one. */
const mostLabels = 200

/** A label with a space cannot be typed. */
const isTypable = (label: string): boolean => !/\s/.test(label)

export const withLabels = (
  known: ReadonlySet<string>,
  jobs: ReadonlyArray<Pick<ListedJob, "labels">>
): ReadonlySet<string> => {
  const found = jobs.flatMap(({ labels }) => Object.entries(labels).map(([name, value]) => `${name}=${value}`))
  return new Set([...known, ...found.filter(isTypable)].slice(0, mostLabels))
}

/** The texts that a field suggests: what was typed, with its last word completed. */
export const suggestions = (typed: string, known: ReadonlySet<string>): ReadonlyArray<string> => {
  const before = typed.slice(0, typed.search(/\S*$/))
  const words = new Set(before.split(/\s+/))
  return [...known]
    .filter((word) => !words.has(word))
    .sort()
    .map((word) => `${before}${word}`)
}
