/**
 * How many labels a job may have, and how long they may be: every page of jobs carries them.
 */
import { InvalidJobConfig } from "./errors.js"

export const maxLabels = 64

/** Bytes in UTF-8 of the name and the value of a label together. */
export const maxLabelBytes = 1024

const encoder = new TextEncoder()
const bytesOf = (text: string): number => encoder.encode(text).length

/** The error that names every label that is too long, or that there are too many. */
export const labelProblem = (labels: { readonly [name: string]: string }): InvalidJobConfig | undefined => {
  const entries = Object.entries(labels)
  const long = entries.filter(([name, value]) => bytesOf(name) + bytesOf(value) > maxLabelBytes)
  const issues = [
    ...(entries.length > maxLabels
      ? [{ path: ["labels"], message: `must have at most ${maxLabels} labels, got ${entries.length}` }]
      : []),
    ...long.map(([name]) => ({
      path: ["labels", name],
      message: `must have at most ${maxLabelBytes} bytes, name and value together`
    }))
  ]
  return issues.length === 0 ? undefined : new InvalidJobConfig({ issues })
}
