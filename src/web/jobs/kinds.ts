import { signal } from "@preact/signals"

/** The kinds of jobs that were seen, to choose from. */
export const kinds = signal<ReadonlySet<string>>(new Set())
