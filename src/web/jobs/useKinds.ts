/**
 * The kinds of jobs: which are paused, and how many jobs each has. They are read again with the list, and as time passes, since no event
 * says that a kind was paused.
 */
import { useEffect } from "preact/hooks"
import { isMounted } from "../address.js"
import * as api from "../api/kinds.js"
import { useLoaded } from "../app/live.js"

const everyMillis = 10_000

export interface Kinds {
  /** Undefined until they are read, and in an application, where a person may see only some jobs. */
  readonly kinds: ReadonlyArray<api.ServedKind> | undefined
  readonly reload: () => void
}

/** `page` changes whenever the list was read. */
export const useKinds = (page: unknown): Kinds => {
  const { reload, value } = useLoaded("kinds", async (signal) => (isMounted ? undefined : await api.list(signal)))
  useEffect(() => {
    if (page !== undefined) reload()
  }, [page])
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) reload()
    }, everyMillis)
    return () => clearInterval(timer)
  }, [])
  return { kinds: value.value, reload }
}
