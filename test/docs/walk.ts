/** Runs the commands of a page from top to bottom in one shell, and holds what they print against the samples that follow them. */
import { type Block, type Page, placeOf } from "./pages.js"
import { matches, matchesJson } from "./sample.js"

export const isRun = ({ check, language }: Block): boolean => language === "sh" && check === ""

/** For pages that start processes in the background: whatever happens, none is left. */
export const endJobs = "trap 'kill -9 $(jobs -p) 2>/dev/null || true' EXIT"

/** All blocks of a page as one script, so that directories and variables last; a mark before each separates what it prints. */
export const scriptOf = ({ blocks }: Page, preparation: string): string =>
  ["set -e", preparation, ...blocks.filter(isRun).map((block) => `printf '\\036'\n${block.text}`)].join("\n")

/** The samples of a page that differ from what was printed. */
export const differences = (page: Page, printed: string): ReadonlyArray<string> => {
  const [, ...outputs] = printed.split("\x1e")
  const found: Array<string> = []
  let output = ""
  let isOutput = false
  for (const block of page.blocks) {
    if (block.language === "sh") {
      isOutput = isRun(block)
      if (isOutput) output = outputs.shift() ?? ""
    } else if (block.language === "ts") isOutput = false
    else if (isOutput) {
      const isSame =
        block.language === "text"
          ? matches(block.text, output)
          : block.language !== "json" || matchesJson(block.text, output)
      if (!isSame) found.push(`${placeOf(block)} shows\n${block.text}\n— and it is —\n${output}`)
    }
  }
  return found
}
