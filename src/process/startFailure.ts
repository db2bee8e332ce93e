import { accessSync, constants, statSync } from "node:fs"
import type { StartFailure } from "./ProcessOutcome.js"

const reasons: { readonly [code: string]: readonly [StartFailure, string] } = {
  E2BIG: [
    "tooLong",
    "its arguments and environment are too long for the system; give it the text on stdin or in a file"
  ],
  ERR_INVALID_ARG_VALUE: ["invalid", "an argument, a variable or a path is empty or has a NUL character in it"],
  EAGAIN: ["exhausted", "the system has too many processes"],
  EMFILE: ["exhausted", "this program has too many files open"],
  ENFILE: ["exhausted", "the system has too many files open"],
  ENOMEM: ["exhausted", "the system has no memory left"]
}

/** Why a program did not start. Node's own message may repeat an argument, and with it a secret, so it is not used. */
export const startFailure = (
  { cwd, file }: { readonly file: string; readonly cwd: string },
  cause: unknown
): { readonly reason: StartFailure; readonly message: string } => {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "an unknown error"
  const known = reasons[code]
  const failure = (reason: StartFailure, message: string) => ({ reason, message })
  if (known !== undefined) return failure(...known)
  if (!isDirectory(cwd)) return failure("directory", `its working directory ${cwd} is missing or cannot be entered`)
  switch (code) {
    case "ENOENT":
      return failure(
        "notFound",
        file.includes("/")
          ? `there is no ${file}, or not the interpreter that its first line names`
          : `the command ${file} is not on the PATH, or the interpreter that its first line names is missing`
      )
    case "EACCES":
    case "ENOEXEC":
    case "EISDIR":
      return failure("notExecutable", `${file} is not a file that can be executed; check its permissions`)
    case "ENOTDIR":
      return failure("notFound", `there is no ${file}: a part of that path is not a directory`)
    default:
      return failure("other", `${file} could not be started: ${code}`)
  }
}

const isDirectory = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
