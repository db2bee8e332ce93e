/**
 * The list of files, with a filter and links.
 */
import { useSignal } from "@preact/signals"
import { visible } from "../ui/visible.js"
import type { DiffFile } from "./diffModel.js"
import { LineCounts } from "./LineCounts.js"

export interface Props {
  readonly files: ReadonlyArray<DiffFile>
  readonly current: number
  readonly onSelect: (index: number) => void
}

/** Further files are found by the filter. */
const most = 1_000

export const letters = { added: "A", modified: "M", deleted: "D", renamed: "R", typeChanged: "T" } as const

export const FileList = ({ current, files, onSelect }: Props) => {
  const words = useSignal("")
  const wanted = words.value.trim().toLowerCase()
  const found = files.flatMap((file, index) => (file.path.toLowerCase().includes(wanted) ? [{ file, index }] : []))
  return (
    <nav class="files" aria-label="Files">
      <input
        type="search"
        aria-label="Filter the files"
        placeholder="Filter ( / )"
        value={words.value}
        onInput={({ currentTarget }) => (words.value = currentTarget.value)}
        onKeyDown={({ currentTarget, key }) => {
          if (key === "Escape") currentTarget.blur()
          if (key === "Enter" && found[0] !== undefined) onSelect(found[0].index)
        }}
      />
      <ul tabIndex={0} aria-label="Changed files">
        {found.slice(0, most).map(({ file, index }) => (
          <li key={file.path}>
            <button
              type="button"
              class="file-link"
              title={visible(file.path)}
              {...(index === current ? { "aria-current": true } : {})}
              onClick={() => onSelect(index)}
            >
              <span class={`letter status-${file.status}`} aria-label={file.status} role="img">
                {letters[file.status]}
              </span>
              {/* The end of a path is most informative. */}
              <bdi class="file-path">{visible(file.path)}</bdi>
              <LineCounts {...file} />
            </button>
          </li>
        ))}
      </ul>
      {found.length > most && <p class="faint">{found.length - most} more</p>}
    </nav>
  )
}
