/**
 * An agent that writes and deletes files of all kinds and commits until it may finish, and notes each of them once it is complete.
 * It begins with a look at what it noted in its earlier turns.
 */
import { JobManager, RunStore } from "charlotte"
import { Agents } from "charlotte/tasks"
import { Effect } from "effect"

/** The number of its last turns whose files it keeps. */
const kept = 5

/**
 * A stand-in for Claude Code, which finds its sessions only in the directory in which they began. All of its notes are in the directory
 * `WITNESS`, by the name of the unit: `journal-*` has the digests of its files, `lost` what it misses, and `verdicts-*` a line for each
 * turn that ended well. It ends so if it can take the file `judged-*`, or at its beginning `probe`, after a change; and at its usage limit
 * if it can take `limited-*`.
 */
export const script = `cat > /dev/null
W="$WITNESS" u=\${PWD##*/} id=$1; J="$W/journal-$u"
touch "$J" "$J.files" "$J.commits" "$J.gone"
echo turn >> "$W/turns-$u"; n=$(($(wc -l < "$W/turns-$u")))
lost() { echo "$u, turn $n: $*" >> "$W/lost"; }
ended() { echo verdict >> "$W/verdicts-$u"; echo '{"type":"result","subtype":"success","is_error":false,"result":"done"}'; exit 0; }
limited() { printf '{"type":"result","subtype":"success","is_error":true,"result":"Claude AI usage limit reached|%s"}\\n' $(($(date +%s) + 3600)); exit 1; }
take() { mv "$W/$1" "$W/taken-$u-$n" 2> /dev/null; }

sessions="$W/sessions$PWD"; mkdir -p "$sessions"
known=$(cat "$W/session-$u" 2> /dev/null)
if [ $id = new ]; then
  [ -z "$known" ] || lost "session $known"
  id=$u-$n; touch "$sessions/$id"
fi
[ -e "$sessions/$id" ] && [ "\${known:-$id}" = $id ] || lost "session $known, and has $id in $PWD"
printf '{"type":"system","subtype":"init","session_id":"%s"}\\n' $id
echo $id > "$W/session-$u.new"; mv "$W/session-$u.new" "$W/session-$u"

if [ -s "$J" ] && ! sha256sum --check --quiet "$J" > "$W/check-$u" 2>&1; then lost "$(cat "$W/check-$u")"; fi
while read -r f; do [ -x "$f" ] && [ -L "$f.link" ] || lost "the mode of $f"; done < "$J.files"
while read -r commit; do git merge-base --is-ancestor $commit HEAD || lost "commit $commit"; done < "$J.commits"
while read -r f; do for f in "$f"*; do [ -e "$f" ] && lost "the deletion of $f"; done; done < "$J.gone"
[ -e "$(git rev-parse --git-path index.lock)" ] && lost "the index: a lock is left"
take probe && { echo $n > "$u.probe"; ended; }

without() { grep -v "$1" "$2" > "$2.new"; mv "$2.new" "$2"; }
old="$u-$((n - ${kept}))-"
without "  $old" "$J"; without "^$old" "$J.files"
rm -f "$old"* b.txt
tail -n 20 "$J.gone" > "$J.new"; { echo b.txt; echo "$old"; } >> "$J.new"; mv "$J.new" "$J.gone"

while :; do seq 20000 > "$u.torn"; : > "$u.torn"; sleep 0.02; done &
i=0
while ! [ -e "$W/finish" ]; do
  i=$((i + 1)); f="$u-$n-$i"
  head -c $((i * 1000)) /dev/urandom > "$f"; printf 'a\\r\\n%s\\r\\n' $i > "$f.crlf"; ln -s "$f" "$f.link"; chmod +x "$f"
  sha256sum "$f" "$f.crlf" "$f.link" >> "$J"; echo "$f" >> "$J.files"
  seq $((i * 100)) > "$u.seq"
  [ $((i % 5)) = 0 ] && git add --all && git commit --quiet -m unfinished && git rev-parse HEAD >> "$J.commits"
  [ $i = 1 ] && echo begun >> "$W/begun-$u"
  take limited-$u && limited
  take judged-$u && ended
done
ended
`

/** The agent, whose script is the file `agent.sh` in a sandbox. */
export const writer = (root: string) =>
  new Agents.Profile({
    name: "writer",
    command: ["sh", `${root}/agent.sh`, "new"],
    resume: ["sh", `${root}/agent.sh`, "{session}"],
    prompt: "stdin",
    format: "claude-stream-json",
    env: ["WITNESS"]
  })

/** Resumes each job that parks, as a person would. */
export const resumeParked = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  const store = yield* RunStore.RunStore
  for (;;) {
    for (const { run } of yield* store.unfinished({ kind: "tasks", status: "parked", limit: 10 }))
      yield* Effect.ignore(manager.resume(run.id))
    yield* Effect.sleep("50 millis")
  }
})
