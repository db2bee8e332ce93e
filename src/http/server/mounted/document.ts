/**
 * The document of the page below a path. It says where the page is relative to the requested address, since a proxy may have removed the
 * beginning of the path.
 */
import { createHash } from "node:crypto"
import type { Visitor } from "./Visitor.js"

const escape = (text: string): string => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)

/** `address`: the path of the request, which is `path`, `path/` or below it. */
export const rootOf = (path: string, address: string): string =>
  address === path && path !== "/" ? `./${path.slice(path.lastIndexOf("/") + 1)}` : "."

/** Only distinguishes visitors: the tabs of a browser share events. */
const digest = ({ by, can, labels }: Visitor): string =>
  createHash("sha256")
    .update(JSON.stringify([by, can, labels]))
    .digest("base64url")

export const make = (root: string, visitor: Visitor): ((html: string) => string) => {
  const metas = Object.entries({ root, can: visitor.can, visitor: digest(visitor) }).map(
    ([name, content]) => `\n    <meta name="charlotte:${name}" content="${escape(content)}" />`
  )
  return (html) =>
    html
      .replaceAll(/(href|src)="\/assets\//g, (_, name: string) => `${name}="${escape(root)}/assets/`)
      .replace("<head>", () => `<head>${metas.join("")}`)
}
