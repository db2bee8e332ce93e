/**
 * The files that the user has viewed: each for as long as its changes stay the same.
 */
import { kept } from "../ui/kept.js"
import type { DiffFile } from "./diffModel.js"

export const viewed = kept("charlotte.viewed", 2_000)

/** FNV-1a, twice: a collision only folds a file that was not viewed. */
const hash = (text: string): string => {
  let [a, b] = [0x811c9dc5, 0x1000193]
  for (let at = 0; at < text.length; at++) {
    a = Math.imul(a ^ text.charCodeAt(at), 0x01000193)
    b = Math.imul(b ^ text.charCodeAt(at), 0x85ebca6b) + at
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36)
}

/** `head` stands for changes that are not part of the page. */
export const keyOf = ({ mode = "", oldPath = "", patch, path }: DiffFile, head: string): string =>
  hash([path, oldPath, mode, patch ?? head].join("\0"))
