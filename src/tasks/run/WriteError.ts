import type { StoreError, Superseded } from "../../domain/errors.js"

/** Why progress could not be recorded. */
export type WriteError = StoreError | Superseded
