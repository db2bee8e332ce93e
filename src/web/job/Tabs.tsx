/**
 * Tabs that follow the ARIA pattern: arrow keys move among them and select.
 */
import { useRef } from "preact/hooks"

export interface Props {
  readonly tabs: ReadonlyArray<readonly [name: string, title: string]>
  readonly selected: string
  readonly onSelect: (name: string) => void
}

export const Tabs = ({ onSelect, selected, tabs }: Props) => {
  const list = useRef<HTMLDivElement>(null)
  const at = tabs.findIndex(([name]) => name === selected)
  const onKeyDown = (event: KeyboardEvent): void => {
    const steps: { readonly [key: string]: number } = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      Home: 0,
      End: tabs.length - 1
    }
    const next = Object.hasOwn(steps, event.key) ? steps[event.key] : undefined
    if (next === undefined) return
    event.preventDefault()
    const name = tabs[(next + tabs.length) % tabs.length]?.[0]
    if (name === undefined) return
    onSelect(name)
    const tab = list.current?.querySelector(`#tab-${name}`)
    if (tab instanceof HTMLElement) tab.focus()
  }
  return (
    <div ref={list} class="tabs" role="tablist" aria-label="Views of the job" onKeyDown={onKeyDown}>
      {tabs.map(([name, title]) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`tab-${name}`}
          aria-controls="panel"
          aria-selected={name === selected}
          tabIndex={name === selected ? 0 : -1}
          onClick={() => onSelect(name)}
        >
          {title}
        </button>
      ))}
    </div>
  )
}
