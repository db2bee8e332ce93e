/**
 * The kinds of workflows. Only these have decisions, so that other kinds pay nothing for them.
 */

const prefix = "workflow."

/** The kind of a workflow. No `JobKind` has a dot in its name. */
export const workflowKind = <Name extends string>(name: Name): `workflow.${Name}` => `${prefix}${name}`

export const isWorkflow = (kind: string): boolean => kind.startsWith(prefix)
