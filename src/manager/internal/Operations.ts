/**
 * The operations of a manager whose types are the same for all kinds. What serves several kinds, or reaches a manager over HTTP, has
 * them too.
 */
import type { Service } from "../JobManagerService.js"

export type Operations = Omit<
  Service<unknown, never>,
  "start" | "startMany" | "get" | "list" | "await" | "signal" | "events" | "allEvents"
>
