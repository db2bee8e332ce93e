import type { Search } from "./useSearch.js"

export interface Props {
  readonly search: Search
  readonly isLive: boolean
  readonly follows: boolean
  readonly onFollow: () => void
  readonly isRaw: boolean
  /** Missing if the log contains no records. */
  readonly onRaw?: () => void
}

export const LogTools = ({ follows, isLive, isRaw, onFollow, onRaw, search }: Props) => {
  const found = search.found.value
  const at = search.current.value === undefined ? -1 : found.indexOf(search.current.value)
  return (
    <div class="graph-tools">
      <input
        type="search"
        aria-label="Search the log"
        placeholder="Search ( / )"
        value={search.words.value}
        onInput={({ currentTarget }) => search.type(currentTarget.value)}
        onKeyDown={({ currentTarget, key, shiftKey }) => {
          if (key === "Enter") search.next(shiftKey ? -1 : 1)
          if (key === "Escape") {
            search.type("")
            currentTarget.blur()
          }
        }}
      />
      {search.words.value !== "" && (
        <>
          <span class="number faint" role="status">
            {found.length === 0 ? "no match" : `${at + 1} of ${found.length}`}
          </span>
          <button type="button" aria-label="Previous match" onClick={() => search.next(-1)}>
            ↑
          </button>
          <button type="button" aria-label="Next match" onClick={() => search.next(1)}>
            ↓
          </button>
        </>
      )}
      <span class="grow" />
      {isLive && (
        <span class="log-live">
          <span class="dot" aria-hidden="true" /> live
        </span>
      )}
      {onRaw !== undefined && (
        <button type="button" aria-pressed={isRaw} onClick={onRaw} title="The agent's records, unformatted">
          Raw
        </button>
      )}
      <button type="button" aria-pressed={follows} onClick={onFollow} title="Follow the end (f)">
        Follow
      </button>
    </div>
  )
}
