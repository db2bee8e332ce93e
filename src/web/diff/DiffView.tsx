/**
 * The changes of a job, of one of its units, or of one of their tasks.
 */
import { useSignal } from "@preact/signals"
import { useEffect, useMemo, useRef } from "preact/hooks"
import * as jobs from "../api/jobs.js"
import { useKeys } from "../app/keys.js"
import { hub, useLoaded } from "../app/live.js"
import { changeQuery, navigate, toJob, toJobs } from "../router.js"
import * as format from "../../progress/format.js"
import * as notes from "../../progress/taskNotes.js"
import { jobName } from "../../progress/jobName.js"
import { isDue } from "../../progress/waiting.js"
import { useTitle } from "../ui/useTitle.js"
import { visible } from "../ui/visible.js"
import { kept } from "../ui/kept.js"
import { Decide } from "./Decide.js"
import type { DiffFile } from "./diffModel.js"
import { FileDiff } from "./FileDiff.js"
import { FileList } from "./FileList.js"
import { inOrder, judgedIn, tasksDirOf } from "./inOrder.js"
import { LineCounts } from "./LineCounts.js"
import { useDiff } from "./useDiff.js"
import { keyOf, viewed } from "./viewed.js"

/** `split`: old and new lines stand side by side. */
const layout = kept("charlotte.diff", 1)

/** Two columns of code in it would have a word on a line. */
const narrow = matchMedia("(max-width: 600px)")

/** Files beyond these limits are folded, so that the page stays fast. */
const most = { files: 60, lines: 6_000 }

/** A file with more changed lines is initially folded. */
const large = 500

/** The paths of the files that are open unless the user folds them. */
const opened = (files: ReadonlyArray<DiffFile>, isViewed: (file: DiffFile) => boolean): ReadonlySet<string> => {
  const open = new Set<string>()
  let lines = 0
  for (const file of files.slice(0, most.files)) {
    const { additions, deletions, path } = file
    const size = additions + deletions
    if (isViewed(file) || size > large || lines + size > most.lines) continue
    lines += size
    open.add(path)
  }
  return open
}

const elementOf = (index: number): HTMLElement | null => document.getElementById(`file-${index}`)

export const DiffView = ({ id, query }: { readonly id: string; readonly query: URLSearchParams }) => {
  const unit = query.get("unit") ?? undefined
  const task = unit === undefined ? undefined : (query.get("task") ?? undefined)
  const job = useLoaded(id, (signal) => jobs.get(id, signal))
  const diff = useDiff(id, unit, task)
  /** The files that the user has opened or folded, contrary to the rule. */
  const toggled = useSignal<ReadonlySet<string>>(new Set())
  /** The path of the current file: others may come before it when the changes are read again. */
  const current = useSignal<string | undefined>(undefined)
  const asked = useRef(query.get("file"))
  const { error, isStale, next, pages, reload } = diff
  const record = job.value.value
  const ofUnit = record?.tasks.filter((each) => unit === undefined || each.unit === unit) ?? []
  const tasks = ofUnit.filter((each) => task === undefined || String(each.task) === task)
  const files = useMemo(
    () => inOrder(diff.files, tasksDirOf(record?.config), judgedIn(tasks)),
    [diff.files, record, unit, task]
  )
  const head = pages[0]?.head ?? ""
  const at = files.findIndex(({ path }) => path === current.value)
  const keys = useMemo(() => new Map(files.map((file) => [file.path, keyOf(file, head)])), [files, head])
  const isViewed = ({ path }: DiffFile): boolean => viewed.all.value.has(keys.get(path) ?? "")
  const view = (file: DiffFile): void => {
    const key = keys.get(file.path) ?? ""
    if (isViewed(file)) viewed.remove(key)
    else viewed.add([key])
    toggled.value = new Set([...toggled.value].filter((path) => path !== file.path))
  }
  const viewCurrent = (): void => {
    const file = files[at]
    if (file !== undefined) view(file)
  }
  const viewedFiles = files.filter(isViewed).length
  const isNarrow = useSignal(narrow.matches)
  useEffect(() => {
    const onChange = (): void => void (isNarrow.value = narrow.matches)
    narrow.addEventListener("change", onChange)
    return () => narrow.removeEventListener("change", onChange)
  }, [])
  const isSplit = layout.all.value.has("split") && !isNarrow.value
  const split = (): void => {
    if (isNarrow.value) return
    if (isSplit) layout.remove("split")
    else layout.add(["split"])
  }
  const byRule = opened(files, isViewed)
  const isOpen = (path: string): boolean => byRule.has(path) !== toggled.value.has(path)
  const toggle = (path: string): void => {
    const changed = new Set(toggled.value)
    if (!changed.delete(path)) changed.add(path)
    toggled.value = changed
  }
  const setAll = (open: boolean): void => {
    toggled.value = new Set(files.filter(({ path }) => byRule.has(path) !== open).map(({ path }) => path))
  }
  const goTo = (index: number): void => {
    const file = files[index]
    if (file === undefined) return
    current.value = file.path
    changeQuery({ file: file.path }, { replace: true })
    elementOf(index)?.scrollIntoView({ block: "start" })
    const header = elementOf(index)?.querySelector("button")
    header?.focus({ preventScroll: true })
  }
  useEffect(() => {
    const index = files.findIndex(({ path }) => path === asked.current)
    if (index === -1) return
    asked.current = null
    goTo(index)
  }, [files])

  useKeys("Changes", [
    { keys: "j", label: "Next file", run: () => goTo(Math.min(files.length - 1, at + 1)) },
    { keys: "k", label: "Previous file", run: () => goTo(Math.max(0, at - 1)) },
    {
      keys: "o",
      label: "Open or fold the file",
      run: () => files[at] && toggle(files[at].path)
    },
    { keys: "v", label: "Mark the file as viewed, or not", run: () => viewCurrent() },
    { keys: "u", label: "Old and new lines side by side, or not", run: split },
    { keys: "/", label: "Filter the files", run: () => document.querySelector<HTMLElement>(".files input")?.focus() },
    { keys: "Escape", label: "Back to the job", run: () => navigate(toJob(id, { unit, task })) }
  ])

  useEffect(
    () =>
      hub.subscribe((events) => {
        if (events.some(({ jobId, type }) => jobId === id && (type.startsWith("job.") || type === "task.completed")))
          job.reload()
      }),
    [id]
  )

  const approval = record?.status === "parked" && !isDue(record.waitsFor) ? record.parked?.approval : undefined
  const isOutdated =
    approval !== undefined && unit === undefined && pages[0] !== undefined && pages[0].head !== approval.commit
  const additions = files.reduce((sum, file) => sum + file.additions, 0)
  const deletions = files.reduce((sum, file) => sum + file.deletions, 0)
  const title = record === undefined ? id : jobName({ ...record, unitNames: record.units.map(({ unit }) => unit) })
  useTitle(`Changes of ${visible(title)} · Charlotte`)
  const units = record?.units.map(({ unit }) => unit) ?? (unit === undefined ? [] : [unit])
  return (
    <article class="diff">
      <header class="job-title">
        <nav aria-label="Path">
          <a href={toJobs()}>Jobs</a> <span aria-hidden="true">/</span>{" "}
          <a href={toJob(id, { unit, task })}>{visible(title)}</a>
          <span aria-hidden="true"> /</span>
        </nav>
        <h1>Changes</h1>
        <label class="unit-choice">
          <span class="visually-hidden">Of</span>
          <select
            value={unit ?? ""}
            onChange={({ currentTarget }) =>
              changeQuery({ unit: currentTarget.value, task: undefined, file: undefined })
            }
          >
            <option value="">all units</option>
            {units.map((name) => (
              <option key={name} value={name}>
                {visible(name)}
              </option>
            ))}
          </select>
        </label>
        {unit !== undefined && (
          <label class="unit-choice">
            <span class="visually-hidden">Task</span>
            <select
              value={task ?? ""}
              onChange={({ currentTarget }) => changeQuery({ task: currentTarget.value, file: undefined })}
            >
              <option value="">all tasks</option>
              {ofUnit.map((each) => (
                <option key={each.task} value={String(each.task)} disabled={each.state !== "completed"}>
                  {each.task}. {visible(each.title)}
                </option>
              ))}
            </select>
          </label>
        )}
        {pages.length > 0 && (
          <p class="number">
            {format.count(files.length, "file")}
            {next !== undefined && " so far"} <LineCounts additions={additions} deletions={deletions} />{" "}
            <code class="faint">
              {pages[0]?.base.slice(0, 8)}…{pages[0]?.head.slice(0, 8)}
            </code>
            {viewedFiles > 0 && ` ${viewedFiles} viewed`}
          </p>
        )}
        <span class="grow" />
        {(isStale || isOutdated) && (
          <button type="button" class="primary" onClick={reload}>
            Show the newer changes
          </button>
        )}
        {approval !== undefined && pages.length > 0 && !isOutdated && (
          <Decide id={id} commit={approval.commit} unit={unit} units={units} onDecided={job.reload} />
        )}
        <span class="actions">
          {!isNarrow.value && (
            <button type="button" class="split" aria-pressed={isSplit} onClick={split}>
              Side by side
            </button>
          )}
          <button type="button" onClick={() => setAll(true)} disabled={files.length > most.files}>
            Open all
          </button>
          <button type="button" onClick={() => setAll(false)}>
            Fold all
          </button>
        </span>
      </header>
      {notes.ofJob(notes.ofRecords(tasks)).map(({ task, text, unit }, at) => (
        <p key={at} class="note warn">
          ! {unit === undefined ? "" : `${visible(unit)} ${task}: `}
          {visible(text)}
        </p>
      ))}
      {error !== undefined && <p class="note bad">{visible(error.message)}</p>}
      {pages.length === 0 && error === undefined && <p class="faint">Reading the changes.</p>}
      {pages.length > 0 && files.length === 0 && <p class="empty">Nothing has changed.</p>}
      {files.length > 0 && (
        <div class="diff-body">
          <FileList files={files} current={at} onSelect={goTo} />
          <div class="diff-files">
            {files.map((file, index) => (
              <FileDiff
                key={`${pages[0]?.head} ${file.path}`}
                id={`file-${index}`}
                file={file}
                isOpen={isOpen(file.path)}
                isViewed={isViewed(file)}
                isSplit={isSplit}
                onView={() => view(file)}
                onToggle={() => {
                  current.value = file.path
                  toggle(file.path)
                }}
              />
            ))}
            {next !== undefined && (
              <button type="button" onClick={diff.readNext} disabled={diff.isReading}>
                More files
              </button>
            )}
          </div>
        </div>
      )}
    </article>
  )
}
