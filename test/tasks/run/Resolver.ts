/**
 * A stand-in for an agent that works on tasks, and that resolves a conflict by the script of a test.
 */
import { Agents } from "charlotte/tasks"

/**
 * At a task it runs the first `sh` block of the text; at a conflict the file `resolve`, which may call `limited SECONDS`. Each turn at a
 * conflict is counted as `turns`, and its prompt is in the file `prompt`.
 */
export const resolver = ({ root }: { readonly root: string }, name = "claude") =>
  new Agents.Profile({
    name,
    command: [
      "sh",
      "-c",
      `root='${root}'
       prompt=$(cat)
       end() { printf '{"type":"result","subtype":"success","is_error":%s,"result":"%s"}\\n' "$1" "$2"; }
       limited() { end true "Claude AI usage limit reached|$(($(date +%s) + $1))"; exit 1; }
       script="$root/resolve"
       case "$prompt" in
         '# Resolve a conflict'*) echo x >> "$root/count-turns"; printf '%s\\n' "$prompt" > "$root/prompt" ;;
         *)
           script="$root/script.$$"
           printf '%s\\n' "$prompt" | awk '/^\`\`\`sh$/ { on = 1; next } /^\`\`\`$/ { if (on) exit } on' > "$script" ;;
       esac
       . "$script"
       end false done`
    ],
    prompt: "stdin",
    format: "claude-stream-json",
    env: []
  })

/** Keeps the lines of both sides. */
export const both = "sed -i -e '/^<<<<<<< /d' -e '/^=======$/d' -e '/^>>>>>>> /d' a.txt"
