/**
 * The kinds of jobs, to say which are paused. No event says so, so they are read again as time passes.
 */
import { useEffect } from "preact/hooks"
import * as api from "../api/kinds.js"
import { useLoaded } from "../app/live.js"

const everyMillis = 10_000

export const usePaused = (): { readonly kinds: ReadonlyArray<api.ServedKind>; readonly reload: () => void } => {
  const { reload, value } = useLoaded("kinds", api.list)
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) reload()
    }, everyMillis)
    return () => clearInterval(timer)
  }, [])
  return { kinds: value.value ?? [], reload }
}
