/**
 * The views and their addresses. The address contains everything that the user has chosen to see, so that it can be bookmarked.
 */
import { signal } from "@preact/signals"
import { at, isMounted, pathOf } from "./address.js"

export type Route =
  | { readonly view: "jobs"; readonly query: URLSearchParams }
  | { readonly view: "job"; readonly id: string; readonly query: URLSearchParams }
  | { readonly view: "diff"; readonly id: string; readonly query: URLSearchParams }
  | { readonly view: "system"; readonly query: URLSearchParams }
  | { readonly view: "unknown"; readonly query: URLSearchParams }

const idPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/

/** `address` is a path with an optional query. */
export const parse = (address: string): Route => {
  const [path = "", search = ""] = address.split("?", 2)
  const query = new URLSearchParams(search)
  const [room, id, part, ...more] = pathOf(path).split("/").slice(1)
  if (more.length > 0) return { view: "unknown", query }
  if ((room === "" || room === "jobs") && !id) return { view: "jobs", query }
  if (room === "system" && id === undefined) return { view: "system", query }
  if (room === "jobs" && id !== undefined && idPattern.test(id)) {
    if (part === undefined) return { view: "job", id, query }
    if (part === "diff" && !isMounted) return { view: "diff", id, query }
  }
  return { view: "unknown", query }
}

const withQuery = (path: string, query: { readonly [name: string]: string | number | undefined }): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
  return search.size === 0 ? path : `${path}?${search}`
}

type Query = { readonly [name: string]: string | number | undefined }

const jobs = isMounted ? "" : "/jobs"

export const toJobs = (query: Query = {}): string => withQuery(at(isMounted ? "/" : jobs), query)
export const toJob = (id: string, query: Query = {}): string => withQuery(at(`${jobs}/${id}`), query)
export const toDiff = (id: string, query: Query = {}): string => withQuery(`/jobs/${id}/diff`, query)
export const toSystem = (): string => "/system"

/** The shown route. */
export const route = signal<Route>({ view: "jobs", query: new URLSearchParams() })

const read = (): void => {
  route.value = parse(location.pathname + location.search)
}

/** `replace` adds no step to the history, for example for each letter of a search. */
export const navigate = (address: string, { replace = false }: { readonly replace?: boolean } = {}): void => {
  if (address === location.pathname + location.search) return
  history[replace ? "replaceState" : "pushState"](null, "", address)
  read()
  if (!replace) window.scrollTo(0, 0)
}

/** Changes some parameters of the shown address; `undefined` removes one. */
export const changeQuery = (changes: Query, options: { readonly replace?: boolean } = {}): void => {
  const query = new URLSearchParams(location.search)
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === "") query.delete(name)
    else query.set(name, String(value))
  }
  navigate(query.size === 0 ? location.pathname : `${location.pathname}?${query}`, options)
}

/** A plain click, without a modifier that opens a new tab or window. */
const isPlain = (event: MouseEvent): boolean =>
  event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey

/** Follows the page's links without reloading it. */
export const start = (): void => {
  read()
  addEventListener("popstate", read)
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || !isPlain(event) || !(event.target instanceof Element)) return
    const link = event.target.closest("a")
    if (link === null || link.origin !== location.origin || link.target !== "" || link.dataset["loads"] !== undefined)
      return
    event.preventDefault()
    navigate(link.pathname + link.search)
  })
}
