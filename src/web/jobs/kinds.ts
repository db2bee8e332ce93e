import { signal } from "@preact/signals"

/** The kinds of jobs seen so far, to choose from. */
export const kinds = signal<ReadonlySet<string>>(new Set())
