import { signal } from "@preact/signals"

/** Why the one-time code in the address did not start a session. */
export const opening = signal<Error | undefined>(undefined)
