/**
 * The subset of CommonMark that tasks need: the title, and the code blocks that the `script` agent runs. Headings and fences inside
 * a code block or a comment do not count.
 */

export interface Markdown {
  /** The text of the first heading of level 1. */
  readonly title: string | undefined
  /** The contents of the fenced code blocks whose info string starts with the word `sh`; blank ones are omitted. */
  readonly scripts: ReadonlyArray<string>
}

interface Fence {
  readonly indent: number
  readonly marker: string
  readonly info: string
}

const maxTitle = 200

export const parse = (text: string): Markdown => {
  const scripts: Array<string> = []
  let title: string | undefined
  let fence: Fence | undefined
  let block: Array<string> = []
  let inComment = false
  let previous = ""

  const endBlock = () => {
    const script = block.map((line) => line + "\n").join("")
    if (fence?.info.split(/\s/, 1)[0] === "sh" && script.trim() !== "") scripts.push(script)
    fence = undefined
    block = []
  }

  for (const line of lines(text)) {
    if (fence !== undefined) {
      if (closes(line, fence)) endBlock()
      else block.push(unindent(line, fence.indent))
    } else if (inComment || /^ {0,3}<!--/.test(line)) {
      inComment = !line.includes("-->")
    } else {
      fence = opening(line)
      title ??= heading(line, previous)
    }
    previous = fence === undefined ? line : ""
  }
  // An unclosed block extends to the end of the text.
  endBlock()
  return { title, scripts }
}

const lines = (text: string): ReadonlyArray<string> => {
  const all = text.split(/\r\n|\n|\r/)
  return all.at(-1) === "" ? all.slice(0, -1) : all
}

const opening = (line: string): Fence | undefined => {
  const match = /^( {0,3})(`{3,}|~{3,})(.*)$/s.exec(line)
  if (match === null) return undefined
  const [, indent = "", marker = "", info = ""] = match
  // A line with more backticks is inline code.
  return marker.startsWith("`") && info.includes("`") ? undefined : { indent: indent.length, marker, info: info.trim() }
}

const closes = (line: string, fence: Fence): boolean => {
  const marker = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line)?.[1]
  return marker !== undefined && marker.startsWith(fence.marker)
}

/** Removes at most as many spaces as the fence is indented by. */
const unindent = (line: string, indent: number): string => {
  const blanks = line.length - line.trimStart().length
  return line.slice(Math.min(indent, blanks))
}

/** `# Title`, or a line of text underlined with `===`. */
const heading = (line: string, previous: string): string | undefined => {
  const marked = /^ {0,3}#[ \t]+(\S.*)$/s.exec(line)?.[1]
  const text = marked?.slice(0, maxTitle).replace(/(^|[ \t]+)#+[ \t]*$/, "")
  const underlined = /^ {0,3}=+[ \t]*$/.test(line) && /^ {0,3}[^\s#>*+\-=]/.test(previous) ? previous : undefined
  const title = (text ?? underlined?.slice(0, maxTitle) ?? "").replace(/[\u2028\u2029]/g, " ").trim()
  return title === "" ? undefined : title
}
