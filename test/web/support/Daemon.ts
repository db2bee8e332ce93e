/** A daemon as it is installed, with the page that was built for the tests. */
import { symlinkSync } from "node:fs"
import { dirname, join } from "node:path"
import { inject } from "vitest"

const isThere = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "EEXIST"

/** Puts the page where the command of the tests looks for it. */
export const installPage = (): void => {
  try {
    symlinkSync(inject("page"), join(dirname(inject("command").program), "..", "web"))
  } catch (error) {
    if (!isThere(error)) throw error
  }
}
