/**
 * Who sends a request to the page of an application, and what it may see and do.
 */
import { Context } from "effect"

/**
 * The session of a person with the application, as `authorize` returns it.
 *
 * @since 0.2.0
 * @category models
 */
export interface Who {
  /** Recorded with what the person does. */
  readonly by: string
  /** Whether the person may only read, or also stop, resume, retry, signal and pin jobs. */
  readonly can: "read" | "act"
}

export interface Visitor extends Who {
  /** The labels of the runs that exist for this person; all runs if there are none. */
  readonly labels: { readonly [name: string]: string }
}

/** The visitor who sends the current request; by default one for whom no run exists. */
export class CurrentVisitor extends Context.Reference<CurrentVisitor>()("charlotte/http/CurrentVisitor", {
  defaultValue: (): Visitor => ({ by: "", can: "read", labels: { "": "" } })
}) {}

export const isLimited = ({ labels }: Visitor): boolean => Object.keys(labels).length > 0

export const isSame = (a: Visitor, b: Visitor): boolean =>
  a.by === b.by && a.can === b.can && JSON.stringify(a.labels) === JSON.stringify(b.labels)
