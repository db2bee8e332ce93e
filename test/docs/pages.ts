/** The pages that users read, and the fenced blocks in them. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../..", import.meta.url))

export const read = (file: string): string => readFileSync(join(root, file), "utf8")

export interface Block {
  readonly page: string
  readonly line: number
  readonly language: string
  /** What follows the language: how the block is checked. Readers of the rendered page do not see it. */
  readonly check: string
  readonly text: string
}

export interface Page {
  readonly file: string
  readonly text: string
  readonly blocks: ReadonlyArray<Block>
  /** The text with its blocks left blank, so that line numbers stay. */
  readonly prose: string
}

const fence = /^(`{3,})([^\n`]*)\n([^]*?)^\1$/gm

export const page = (file: string): Page => {
  const text = read(file)
  const blocks = [...text.matchAll(fence)].map(({ 2: info = "", 3: body = "", index }): Block => {
    const [language = "", ...rest] = info.trim().split(/\s+/)
    return { page: file, line: text.slice(0, index).split("\n").length, language, check: rest.join(" "), text: body }
  })
  return { file, text, blocks, prose: text.replace(fence, (block) => block.replace(/[^\n]/g, "")) }
}

const inDocs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`)
  .sort()

export const pages: ReadonlyArray<Page> = ["README.md", "CONTRIBUTING.md", ...inDocs].map(page)

export const blocks: ReadonlyArray<Block> = pages.flatMap(({ blocks }) => blocks)

/** The blocks of one language and, if it is named, one check. */
export const blocksOf = (language: string, check?: string): ReadonlyArray<Block> =>
  blocks.filter((block) => block.language === language && (check === undefined || block.check === check))

export const placeOf = ({ line, page }: Block): string => `${page}:${line}`
