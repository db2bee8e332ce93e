/**
 * Where the page is: at the root of a server of Charlotte, or below a path of an application, which then says so in its document.
 */

const meta = (name: string): string | undefined =>
  globalThis.document?.querySelector(`meta[name="charlotte:${name}"]`)?.getAttribute("content") ?? undefined

const root = meta("root")

/** Whether the page is part of an application, which has a session of its own for it. */
export const isMounted = root !== undefined

/** Whether the application lets this person stop, resume, retry, signal and pin jobs. */
export const mayAct = meta("can") !== "read"

/** Differs for each person, and for what that person may see and do. */
const visitor = meta("visitor") ?? ""

/** Relative to the address, because a proxy may have removed the beginning of the path. A host never begins with two slashes. */
const prefix = root === undefined ? "" : new URL(root, location.href).pathname.replace(/^\/+/, "/").replace(/\/$/, "")

/** The address of a path of the server. */
export const at = (path: string): string => prefix + path

/** For what the tabs of a browser share: an application may have several pages, and a person may sign in as another one. */
export const shared = (name: string): string => (isMounted ? `${name} ${prefix} ${visitor}` : name)

/** The path at a server of Charlotte that shows the same: in an application, the root of the page shows the jobs. */
export const pathOf = (address: string): string => (isMounted ? `/jobs${address.slice(prefix.length)}` : address)
