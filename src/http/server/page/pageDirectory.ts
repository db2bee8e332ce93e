import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"

const relative = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** The directory of the page's files: beside the bundle of the command, in the installed package, or as built in a checkout. */
export const pageDirectory = (): string => {
  const installed = [relative("../../web"), relative("../../../web")]
  return installed.find((directory) => existsSync(`${directory}/assets`)) ?? relative("../../../../dist/web")
}
