#!/usr/bin/env bash
# Runs a command, by default the tests of git, tasks and the command line, as on a machine on which all that a user may have set is odd:
# git's system and user configuration with signing, filters, hooks and templates, agents on the PATH, time zone, locale and umask.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ $# -gt 0 ] || set -- sh -ec 'for tier in unit integration e2e; do npm run -s "test:$tier" -- test/git test/tasks test/cli; done'

odd=$(mktemp -d)
trap 'rm -rf "$odd"' EXIT
mkdir -p "$odd"/{bin,home/.config/git,hooks,template/hooks}

# A git whose system configuration is this one, where no other one is set.
cat >"$odd/bin/git" <<END
#!/bin/sh
export GIT_CONFIG_SYSTEM="\${GIT_CONFIG_SYSTEM-$odd/system}"
exec "$(command -v git)" "\$@"
END
cat >"$odd/system" <<END
[user]
	name = Somebody Else
	email = else@example.com
[commit]
	gpgSign = true
[tag]
	gpgSign = true
[gpg]
	program = $odd/bin/fail
[core]
	autocrlf = true
	hooksPath = $odd/hooks
	attributesFile = $odd/attributes
	excludesFile = $odd/excludes
	logAllRefUpdates = false
[init]
	defaultBranch = trunk
	templateDir = $odd/template
[merge]
	ff = false
[diff]
	noprefix = true
	external = $odd/bin/fail
[status]
	showUntrackedFiles = no
[color]
	ui = always
[filter "lfs"]
	clean = git-lfs clean -- %f
	smudge = git-lfs smudge -- %f
	process = git-lfs filter-process
	required = true
END
cp "$odd/system" "$odd/home/.gitconfig"
echo "*.ts text eol=crlf" >"$odd/attributes"
cp "$odd/attributes" "$odd/home/.config/git/attributes"
echo "*.txt" | tee "$odd/excludes" >"$odd/home/.config/git/ignore"
for program in bin/fail bin/claude bin/codex bin/git-lfs {,template/}hooks/{pre-commit,commit-msg,post-checkout,reference-transaction}; do
  printf '#!/bin/sh\necho "%s of the machine was run" >&2\nexit 1\n' "$program" >"$odd/$program"
done
chmod +x "$odd"/bin/* "$odd"/hooks/* "$odd"/template/hooks/*

umask 077
env PATH="$odd/bin:$PATH" HOME="$odd/home" XDG_CONFIG_HOME="$odd/home/.config" TZ=Asia/Kathmandu LANG=tr_TR.UTF-8 LC_ALL=tr_TR.UTF-8 \
  LANGUAGE=tr NO_COLOR=1 EDITOR=false PAGER=false GIT_AUTHOR_NAME=Nobody GIT_DIR="$odd/none" GIT_TEMPLATE_DIR="$odd/template" \
  CHARLOTTE_HOME="$odd/home/charlotte" CHARLOTTE_MAX_JOBS=1 "$@"
