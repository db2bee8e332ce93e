/**
 * Limits on the number and size of labels, since every page of jobs includes them.
 */
import { Predicate } from "effect"
import { InvalidJobConfig } from "./errors.js"
import { storableProblem } from "./storable.js"

export const maxLabels = 64

/** UTF-8 bytes of a label, name and value together. */
export const maxLabelBytes = 1024

const encoder = new TextEncoder()
const bytesOf = (text: string): number => encoder.encode(text).length

const problemOf = (name: string, value: unknown): string | undefined => {
  if (typeof value !== "string") return "must be a text"
  return bytesOf(name) + bytesOf(value) > maxLabelBytes
    ? `must have at most ${maxLabelBytes} bytes, name and value together`
    : storableProblem(`${name} ${value}`)
}

/**
 * An error that names every label that cannot be kept, and says if there are too many; none if all can be kept. Code of the application
 * determines the labels of a kind: a value of another type would make the run unreadable.
 */
export const labelProblem = (labels: unknown): InvalidJobConfig | undefined => {
  if (!Predicate.isRecord(labels)) {
    return new InvalidJobConfig({ issues: [{ path: ["labels"], message: "must be an object" }] })
  }
  const entries = Object.entries(labels)
  const issues = entries.flatMap(([name, value]) => {
    const message = problemOf(name, value)
    return message === undefined ? [] : [{ path: ["labels", name], message }]
  })
  if (entries.length > maxLabels) {
    issues.unshift({ path: ["labels"], message: `must have at most ${maxLabels} labels, got ${entries.length}` })
  }
  return issues.length === 0 ? undefined : new InvalidJobConfig({ issues })
}
