/**
 * Limits on the number and size of labels, since every page of jobs includes them.
 */
import { InvalidJobConfig } from "./errors.js"

export const maxLabels = 64

/** UTF-8 bytes of a label, name and value together. */
export const maxLabelBytes = 1024

const encoder = new TextEncoder()
const bytesOf = (text: string): number => encoder.encode(text).length

/** An error that names every label that is too long, and says if there are too many; none if all are within limits. */
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
