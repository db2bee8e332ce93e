/**
 * Short texts without spaces, such as ids, that this browser keeps for all of its tabs.
 */
import { type ReadonlySignal, signal } from "@preact/signals"

export interface Kept {
  readonly all: ReadonlySignal<ReadonlySet<string>>
  readonly add: (texts: Iterable<string>) => void
  readonly remove: (text: string) => void
}

/** Beyond `most`, the oldest are dropped. */
export const kept = (name: string, most: number): Kept => {
  const all = signal<ReadonlySet<string>>(new Set())
  const read = (): void => {
    all.value = new Set((localStorage.getItem(name) ?? "").split(" ").filter((text) => text !== ""))
  }
  const write = (texts: Iterable<string>): void => {
    localStorage.setItem(name, [...texts].slice(-most).join(" "))
    read()
  }
  // Tests of single modules have no browser.
  if (globalThis.document !== undefined) {
    read()
    addEventListener("storage", (event) => {
      if (event.key === name) read()
    })
  }
  return {
    all,
    // Another tab may have written since.
    add: (texts) => {
      read()
      write(new Set([...all.value, ...texts]))
    },
    remove: (text) => {
      read()
      write([...all.value].filter((other) => other !== text))
    }
  }
}
