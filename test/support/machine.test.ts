import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { sandbox } from "./Repository.js"

const module = fileURLToPath(new URL("./machine.ts", import.meta.url))

/** What a process started by a test sees, each on a line. */
const seen =
  "cd /; git config --list --show-scope; command -v claude || echo no claude; command -v other; umask; date +%Z; env"

it.scopedLive(
  "a test sees no configuration, agents, time zone, locale and umask of the machine, but its programs",
  () =>
    Effect.gen(function* () {
      const { environment, root, write } = yield* sandbox
      const odd = "[user]\n\tname = Somebody\n[commit]\n\tgpgSign = true\n"
      yield* write(`${root}/system`, odd)
      yield* write(`${root}/user/.gitconfig`, odd)
      for (const name of ["claude", "other"]) yield* write(`${root}/bin/${name}`, "#!/bin/sh\n", 0o755)
      const system = `export GIT_CONFIG_SYSTEM="\${GIT_CONFIG_SYSTEM-${root}/system}"`
      const git = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim()
      yield* write(`${root}/bin/git`, `#!/bin/sh\n${system}\nexec ${git} "$@"\n`, 0o755)
      const program = `
      import { execFileSync } from "node:child_process"
      import { hideMachine } from "${module}"
      hideMachine()
      execFileSync("sh", ["-c", ${JSON.stringify(seen)}], { stdio: "inherit" })`
      const shell = `umask 077; exec "$0" --import tsx --input-type=module -e "$1"`
      const text = execFileSync("sh", ["-c", shell, process.execPath, program], {
        encoding: "utf8",
        env: {
          PATH: `${root}/bin:${environment.variables["PATH"]}`,
          HOME: `${root}/user`,
          TMPDIR: root,
          TZ: "Asia/Kathmandu",
          LANG: "tr_TR.UTF-8",
          EDITOR: "vi",
          GIT_AUTHOR_NAME: "Nobody",
          CHARLOTTE_HOME: root
        }
      })
      const [claude, other, umask, zone, ...variables] = text.trim().split("\n")
      expect([claude, umask, zone]).toEqual(["no claude", "0022", "UTC"])
      expect(other).toMatch(/charlotte-machine-\w+\/path-0\/other$/)
      expect(variables.filter((line) => /^(LC_|LANG|EDITOR|GIT_|CHARLOTTE_HOME)/.test(line))).toEqual([
        "LC_ALL=C.UTF-8"
      ])
      expect(variables).not.toContain(`HOME=${root}/user`)
    })
)
