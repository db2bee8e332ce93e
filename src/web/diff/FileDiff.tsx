/**
 * The changes of a file.
 */
import { useSignal } from "@preact/signals"
import { useEffect, useMemo } from "preact/hooks"
import { memo } from "../ui/memo.js"
import { Spans } from "../ui/Spans.js"
import { visible } from "../ui/visible.js"
import type { DiffFile } from "./diffModel.js"
import { letters } from "./FileList.js"
import { languageOf } from "./languageOf.js"
import { LineCounts } from "./LineCounts.js"
import { pairs } from "./pairs.js"
import { type Hunk, parsePatch } from "./parsePatch.js"
import { type Highlight, type TokenLine, tokenLines } from "./tokenLines.js"

export interface Props {
  readonly id: string
  readonly file: DiffFile
  readonly isOpen: boolean
  readonly isViewed: boolean
  /** Whether the old lines stand beside the new ones. */
  readonly isSplit: boolean
  readonly onToggle: () => void
  readonly onView: () => void
}

/** Lines shown at a time. */
const step = 1_000

const signs = { context: " ", added: "+", removed: "-", note: "" } as const

const Line = ({ after, before, kind, tokens }: TokenLine) => (
  <div class={`diff-line ${kind}`}>
    <span class="diff-number" aria-hidden="true">
      {before}
    </span>
    <span class="diff-number" aria-hidden="true">
      {after}
    </span>
    <span class="diff-sign">{signs[kind]}</span>
    <span class="diff-text">
      <Spans pieces={tokens} />
    </span>
  </div>
)

const Half = ({ line, number }: { readonly line: TokenLine | undefined; readonly number: number | undefined }) => (
  <div class={`diff-line ${line === undefined ? "none" : line.kind}`}>
    <span class="diff-number" aria-hidden="true">
      {number}
    </span>
    <span class="diff-sign">{line && signs[line.kind]}</span>
    <span class="diff-text">{line && <Spans pieces={line.tokens} />}</span>
  </div>
)

const SideBySide = ({ lines }: { readonly lines: ReadonlyArray<TokenLine> }) => (
  <>
    {pairs(lines).map(({ after, before }, at) => (
      <div key={at} class="diff-pair">
        <Half line={before} number={before?.before} />
        <Half line={after} number={after?.after} />
      </div>
    ))}
  </>
)

/** The first lines of hunks. */
const first = (hunks: ReadonlyArray<Hunk>, most: number): ReadonlyArray<Hunk> => {
  let left = most
  return hunks.flatMap(({ heading, lines }) => {
    const shown = lines.slice(0, Math.max(0, left))
    left -= lines.length
    return shown.length === 0 ? [] : [{ heading, lines: shown }]
  })
}

interface PatchProps extends Pick<Props, "isSplit"> {
  readonly path: string
  readonly patch: string
}

const Patch = ({ isSplit, patch, path }: PatchProps) => {
  const highlight = useSignal<{ readonly run: Highlight } | undefined>(undefined)
  const most = useSignal(step)
  const language = languageOf(path)
  useEffect(() => {
    if (language === undefined) return
    // If loading fails, the text is shown without colours.
    import("./highlighter.js").then(({ highlight: run }) => (highlight.value = { run })).catch(() => {})
  }, [language])
  const hunks = useMemo(() => parsePatch(patch), [patch])
  const all = hunks.reduce((sum, { lines }) => sum + lines.length, 0)
  const shown = useMemo(
    () => first(hunks, most.value).map((hunk) => ({ hunk, lines: tokenLines(hunk, highlight.value?.run, language) })),
    [hunks, most.value, highlight.value]
  )
  return (
    <div class="diff-patch">
      {shown.map(({ hunk, lines }, at) => (
        <div key={at}>
          <p class="diff-hunk">
            @@ {hunk.lines[0]?.after ?? hunk.lines[0]?.before} {visible(hunk.heading)}
          </p>
          {isSplit ? <SideBySide lines={lines} /> : lines.map((line, index) => <Line key={index} {...line} />)}
        </div>
      ))}
      {all > most.value && (
        <button type="button" class="quiet" onClick={() => (most.value += step)}>
          Show more: {all - most.value} lines are left
        </button>
      )}
    </div>
  )
}

const Content = ({
  file: { binary, mode, oldMode, patch, path, tooLarge },
  isSplit
}: Pick<Props, "file" | "isSplit">) => {
  if (binary) return <p class="note faint">A binary file.</p>
  if (tooLarge === true) return <p class="note faint">Too large to be shown here.</p>
  const hasNewMode = mode !== undefined && oldMode !== undefined && mode !== oldMode
  return (
    <>
      {hasNewMode && (
        <p class="note faint">
          mode {oldMode} → {mode}
        </p>
      )}
      {patch !== undefined && patch !== "" ? (
        <Patch path={path} patch={patch} isSplit={isSplit} />
      ) : (
        !hasNewMode && <p class="note faint">No line differs.</p>
      )}
    </>
  )
}

const View = ({ file, id, isOpen, isSplit, isViewed, onToggle, onView }: Props) => (
  <section id={id} class="diff-file" aria-label={visible(file.path)}>
    <h2>
      <button type="button" aria-expanded={isOpen} onClick={onToggle}>
        <span aria-hidden="true">{isOpen ? "▾" : "▸"}</span>
        <span class={`letter status-${file.status}`} aria-label={file.status} role="img">
          {letters[file.status]}
        </span>
        <span class="diff-path">
          {file.oldPath !== undefined && <span class="faint">{visible(file.oldPath)} → </span>}
          {visible(file.path)}
        </span>
        {file.binary ? <span class="faint">binary</span> : <LineCounts {...file} />}
      </button>
      <label class="viewed">
        <input type="checkbox" checked={isViewed} onChange={onView} />
        Viewed<span class="visually-hidden"> {visible(file.path)}</span>
      </label>
    </h2>
    {isOpen && <Content file={file} isSplit={isSplit} />}
  </section>
)

export const FileDiff = memo<Props>(
  View,
  (before, after) =>
    before.file === after.file &&
    before.isOpen === after.isOpen &&
    before.isViewed === after.isViewed &&
    before.isSplit === after.isSplit &&
    before.id === after.id
)
