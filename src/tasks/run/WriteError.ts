import type { StoreError, Superseded } from "../../domain/errors.js"

/** Why progress is not recorded. */
export type WriteError = StoreError | Superseded
