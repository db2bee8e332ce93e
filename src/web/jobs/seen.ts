/**
 * Failed jobs that the user has marked as seen, in this browser.
 */
import { signal } from "@preact/signals"

const name = "charlotte.seen"

/** With more, the oldest are dropped; their jobs left the list long before. */
const most = 500

const read = (): ReadonlySet<string> => {
  const ids = (localStorage.getItem(name) ?? "").split(" ")
  return new Set(ids.filter((id) => id !== ""))
}

export const seen = signal<ReadonlySet<string>>(new Set())

export const start = (): void => {
  seen.value = read()
  addEventListener("storage", (event) => {
    if (event.key === name) seen.value = read()
  })
}

export const mark = (ids: ReadonlyArray<string>): void => {
  const all = [...read(), ...ids].slice(-most)
  localStorage.setItem(name, all.join(" "))
  seen.value = new Set(all)
}
