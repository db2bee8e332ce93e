import { isLong } from "./long.js"

/** What a long form has found, for whoever runs it. */
export const figures = (text: string): void => {
  if (isLong) process.stdout.write(`${text}\n`)
}
