/**
 * Shell completions: a small script for each shell calls back `charlotte __complete WORD...` with the words up to the cursor,
 * and offers the lines that it prints.
 */
import { Effect } from "effect"
import { Output, type OutputClosed } from "../terminal/Output.js"
import type { Environment, Group } from "./CommandTree.js"
import type { Before } from "./completionSources.js"
import * as globals from "./globals.js"
import type { Candidate } from "./Parameter.js"
import * as Parameter from "./Parameter.js"
import { type Invocation, parse } from "./parse.js"

/** A hidden command, only for the scripts. */
export const command = "__complete"

/** Printed instead of candidates: the shell itself completes directories best. */
const directories = ":directories"

const scripts: Readonly<Record<string, string>> = {
  bash: `_charlotte() {
  local line current="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == ${directories} ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -d -- "\${current#=}")
    else
      COMPREPLY+=("\${line%%$'\\t'*}")
    fi
  done < <("\${COMP_WORDS[0]}" ${command} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _charlotte charlotte
`,
  zsh: `#compdef charlotte
_charlotte() {
  local line
  local -a candidates
  for line in "\${(@f)$("\${words[1]}" ${command} "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == ${directories} ]]; then
      compset -P '--*='
      _files -/
    elif [[ -n $line ]]; then
      candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done
  (( $#candidates )) && _describe -V charlotte candidates
}
if [[ $funcstack[1] == _charlotte ]]; then _charlotte; else compdef _charlotte charlotte; fi
`,
  fish: `function __charlotte_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (command $words[1] ${command} $words[2..] "$current" 2>/dev/null)
        if test "$line" = ${directories}
            __fish_complete_directories "$current" ""
        else
            echo $line
        end
    end
end
complete -c charlotte -f -a '(__charlotte_complete)'
`
}

export const script = (shell = "bash"): string => scripts[shell] ?? ""

/** Prints the candidates for the last of the words. Never fails: a shell cannot show an error. */
export const complete = (root: Group, words: ReadonlyArray<string>): Effect.Effect<number, never, Environment> =>
  Effect.gen(function* () {
    const lines = yield* candidates(root, words)
    const { write } = yield* Output
    yield* write(lines.map((line) => `${line}\n`).join(""))
  }).pipe(
    Effect.catchAllCause(() => Effect.void),
    Effect.as(0)
  )

type Lines = Effect.Effect<ReadonlyArray<string>, OutputClosed, Environment>

const candidates = (root: Group, words: ReadonlyArray<string>): Lines =>
  Effect.gen(function* () {
    // Bash makes "=" a separate word.
    const isSplit = words.at(-1) === "="
    const before = (isSplit ? words : words.slice(0, -1)).filter((word) => word !== "=")
    const current = isSplit ? "" : (words.at(-1) ?? "")
    const { node, valuesOf } = parse(root, before)
    const options = optionsOf(node)
    const valuesFor = valuesGiven(wordsOf(node, valuesOf))

    const pending = options.find(
      (option) => option.kind === "option" && Parameter.labels(option).includes(before.at(-1) ?? "")
    )
    if (pending !== undefined) return yield* valuesFor(pending, "", current)
    const [, name, typed] = /^(--[\w-]+)=(.*)$/s.exec(current) ?? []
    const inline = options.find((option) => Parameter.label(option) === name)
    if (inline !== undefined) return yield* valuesFor(inline, `${name}=`, typed ?? "")

    if (current.startsWith("-") && !before.includes("--")) {
      const unused = options.filter((option) => option.repeated || valuesOf(option).length === 0)
      return matching(
        unused.map((option) => ({ value: Parameter.label(option), description: option.description })),
        current
      )
    }
    if ("children" in node) {
      return matching(commandsOf(node), current)
    }
    const expected = node.parameters.find(
      (parameter) => parameter.kind === "argument" && (parameter.repeated || valuesOf(parameter).length === 0)
    )
    return expected === undefined ? [] : yield* valuesFor(expected, "", current)
  })

/** The values before the cursor on which others depend. */
const wordsOf = (node: Invocation["node"], valuesOf: Invocation["valuesOf"]): Before => {
  const parameters = "parameters" in node ? node.parameters : []
  const first = (isIt: (parameter: Parameter.Parameter<unknown>) => boolean) =>
    parameters.filter(isIt).flatMap(valuesOf)[0]
  return {
    takesJob: parameters.some(({ source }) => source === "jobs"),
    job: first(({ source }) => source === "jobs"),
    tasksDir: first(({ name }) => name === "tasksDir" || name === "tasks"),
    repo: first(({ name }) => name === "repo")
  }
}

const optionsOf = (node: Invocation["node"]): ReadonlyArray<Parameter.Parameter<unknown>> =>
  [...("parameters" in node ? node.parameters : []), ...globals.all].filter(({ kind }) => kind !== "argument")

const commandsOf = ({ children }: Group): ReadonlyArray<Candidate> =>
  Object.entries(children).map(([value, { description }]) => ({ value, description }))

const valuesGiven =
  (before: Before) =>
  (
    { choices, source }: Parameter.Parameter<unknown>,
    prefix: string,
    typed: string
  ): Effect.Effect<ReadonlyArray<string>, never, Environment> => {
    if (source === "directories") return Effect.succeed([directories])
    const found =
      source === undefined
        ? Effect.succeed(choices.map((value) => ({ value, description: "" })))
        : Effect.flatMap(
            Effect.promise(() => import("./completionSources.js")),
            (sources) => sources.of(source, before)
          )
    return Effect.map(found, (all) =>
      matching(
        all.map(({ description, value }) => ({ value: `${prefix}${value}`, description })),
        `${prefix}${typed}`
      )
    )
  }

/** The first sentence is enough. */
const matching = (all: ReadonlyArray<Candidate>, typed: string): ReadonlyArray<string> =>
  all
    .filter(({ value }) => value.startsWith(typed) && !/[\t\n]/.test(value))
    .map(({ description, value }) => `${value}\t${description.replace(/\. .*/s, ".").replace(/\s+/g, " ")}`)
