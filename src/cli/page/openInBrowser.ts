/**
 * Opens a file in the browser of the user.
 */
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { platform } from "node:process"
import { pathToFileURL } from "node:url"
import { Problem } from "../../daemon/Problem.js"
import { RealClock } from "../../internal/RealClock.js"
import { ParentEnvironment } from "../../process/ChildEnvironment.js"
import * as race from "../../internal/race.js"
import * as ExitCode from "../errors/ExitCode.js"

export const notOpened = (problem: string) =>
  new Problem({
    name: "BrowserNotOpened",
    problem: `no browser was opened: ${problem}`,
    hint: "print the address of the page with: charlotte open --print",
    exitCode: ExitCode.failed,
    details: { problem }
  })

interface Command {
  readonly program: string
  readonly rest: ReadonlyArray<string>
}

const parse = (command: string, url: string): ReadonlyArray<Command> => {
  const [program, ...rest] = command.split(/\s+/).filter((word) => word !== "")
  if (program === undefined) return []
  const hasPlace = rest.some((word) => word.includes("%s"))
  return [{ program, rest: hasPlace ? rest.map((word) => word.replaceAll("%s", url)) : [...rest, url] }]
}

/** `$BROWSER` contains commands to try, separated by colons; `%s` in one stands for the URL. */
const commandsFor = (url: string, browser = ""): ReadonlyArray<Command> => {
  const chosen = browser.split(":").flatMap((command) => parse(command, url))
  return chosen.length > 0 ? chosen : [{ program: platform === "darwin" ? "open" : "xdg-open", rest: [url] }]
}

/** In milliseconds of real time: a browser command that is still running by then has succeeded. */
const successAfter = 3_000

/** Why the command has failed, if it has. */
const run = ({ program, rest }: Command, env: NodeJS.ProcessEnv): Effect.Effect<string | undefined> =>
  Effect.flatMap(RealClock, ({ sleep }) =>
    race.first([
      Effect.async<string | undefined>((resume) => {
        // A separate session outlives this command and its terminal.
        const child = spawn(program, rest, { env, detached: true, stdio: "ignore" })
        child.once("error", ({ message }) => resume(Effect.succeed(message)))
        child.once("exit", (code, signal) =>
          resume(Effect.succeed(code === 0 ? undefined : `${program} exited with ${code ?? signal}`))
        )
        child.unref()
      }),
      Effect.as(sleep(successAfter), undefined)
    ])
  )

export const openInBrowser = (file: string): Effect.Effect<void, Problem> =>
  Effect.gen(function* () {
    const env = yield* ParentEnvironment
    const problems: Array<string> = []
    for (const command of commandsFor(pathToFileURL(file).href, env["BROWSER"])) {
      const problem = yield* run(command, env)
      if (problem === undefined) return
      problems.push(problem)
    }
    return yield* notOpened(problems.join("; "))
  })
