/**
 * As much of a terminal as is needed to see what stands on one: it wraps, scrolls, moves its cursor up, erases, and, when its width
 * changes, wraps its lines again (as VTE and tmux do) or cuts them off (as xterm does). Every character has one column.
 */

interface Row {
  text: string
  /** Whether it goes on with the row before, which was full. */
  continues: boolean
}

export interface Emulator {
  readonly write: (text: string) => void
  readonly resize: (columns: number, rows: number) => void
  /** All that stands there, what has scrolled away too, without blank rows at the end. */
  readonly text: () => string
  readonly size: () => { readonly columns: number; readonly rows: number }
  /** The row of the cursor, from the first that stands there. */
  readonly cursor: () => number
}

// oxlint-disable-next-line eslint/no-control-regex -- the language of terminals
const token = /\x1b\[\?\d+[hl]|\x1b\[[\d;]*[A-Za-z]|[\s\S]/gu

export const make = (width: number, height: number, onResize: "wraps" | "cuts" = "wraps"): Emulator => {
  let [columns, rows] = [width, height]
  let screen: Array<Row> = [{ text: "", continues: false }]
  let row = 0
  let column = 0
  /** The first row that the cursor can reach. */
  let top = 0

  const at = (index: number): Row => {
    while (screen.length <= index) screen.push({ text: "", continues: false })
    return screen[index] ?? { text: "", continues: false }
  }
  const down = (continues: boolean) => {
    row += 1
    column = 0
    at(row).continues = continues
    top = Math.max(top, row - rows + 1)
  }
  const obey = (sequence: string) => {
    const number = Number(/\d+/.exec(sequence)?.[0] ?? 1)
    switch (sequence.at(-1)) {
      case "F":
        row = Math.max(top, row - number)
        column = 0
        return
      case "K":
        at(row).text = at(row).text.slice(0, column)
        return
      case "J":
        at(row).text = at(row).text.slice(0, column)
        screen = screen.slice(0, row + 1)
        return
      case "m":
      case "h":
      case "l":
        return
      default:
        throw new Error(`unknown to this terminal: ${JSON.stringify(sequence)}`)
    }
  }
  const put = (character: string) => {
    if (column === columns) down(true)
    const { text } = at(row)
    at(row).text = text.slice(0, column).padEnd(column) + character + text.slice(column + 1)
    column += 1
  }

  return {
    write: (text) => {
      for (const [part] of text.matchAll(token)) {
        if (part === "\n") down(false)
        else if (part === "\r") column = 0
        else if (part.length > 1) obey(part)
        else put(part)
      }
    },
    resize: (width, height) => {
      ;[columns, rows] = [width, height]
      if (onResize === "cuts") {
        screen = screen.map(({ text, ...row }) => ({ ...row, text: text.slice(0, columns) }))
        return
      }
      const whole: Array<{ text: string; hasCursor: boolean }> = []
      for (const [index, { continues, text }] of screen.entries()) {
        const last = whole.at(-1)
        if (continues && last !== undefined) last.text += text
        else whole.push({ text, hasCursor: false })
        if (index === row) whole.splice(-1, 1, { text: whole.at(-1)?.text ?? "", hasCursor: true })
      }
      screen = whole.flatMap(({ hasCursor, text }) => {
        const parts = text.match(new RegExp(`.{1,${columns}}`, "gu")) ?? [""]
        return parts.map((text, index) => ({ text, continues: index > 0, hasCursor: hasCursor && index === 0 }))
      })
      row = screen.findIndex((row) => "hasCursor" in row && row.hasCursor === true)
      top = Math.max(0, row - rows + 1)
    },
    text: () =>
      screen
        .map(({ continues, text }, index) => (continues || index === 0 ? text : `\n${text}`))
        .join("")
        .trimEnd(),
    size: () => ({ columns, rows }),
    cursor: () => row
  }
}
