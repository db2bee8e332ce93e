/**
 * The server's responses about a diff, and the requests for them.
 */
import { array, boolean, type Decoded, number, oneOf, optional, string, struct } from "../api/decode.js"
import { sendJson } from "../api/request.js"

const status = oneOf({ added: 0, modified: 0, deleted: 0, renamed: 0, typeChanged: 0 })

const diffFile = struct({
  path: string,
  oldPath: optional(string),
  status,
  oldMode: optional(string),
  mode: optional(string),
  additions: number,
  deletions: number,
  binary: boolean,
  tooLarge: optional(boolean),
  patch: optional(string)
})
export type DiffFile = Decoded<typeof diffFile>

export const diffPage = struct({ base: string, head: string, files: array(diffFile), next: optional(string) })
export type DiffPage = Decoded<typeof diffPage>

/** A page of the changes of a job, of one of its units, or of one of their tasks. */
export const read = (
  id: string,
  where: {
    readonly unit?: string | undefined
    readonly task?: string | undefined
    readonly after?: string | undefined
  },
  signal?: AbortSignal
): Promise<DiffPage> => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(where)) if (value !== undefined) query.set(name, value)
  return sendJson(`/api/v1/jobs/${id}/diff?${query}`, diffPage, signal === undefined ? {} : { signal })
}
