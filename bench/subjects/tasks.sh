#!/bin/sh
# What a job of tasks asks of git and of sh, one after another, with as little of its own as a script can have.
# tasks.sh REPOSITORY WORKTREES
set -eu
# What was done must still be done after a power loss.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.fsync GIT_CONFIG_VALUE_0=committed,reference
worktrees=$2
cd "$1"

begin=$(git rev-parse main)
result=refs/heads/script/result
git update-ref "$result" "$begin"

# check REF: what is looked at before a change to the repository.
check() {
  git for-each-ref "$1" >"$worktrees/out"
  git config --list --includes --show-scope -z >"$worktrees/out"
}

# work UNIT: its tasks, in a worktree of its own; leaves the last commit in $tip.
work() {
  branch=refs/heads/script/unit/$1
  tip=$begin
  check "$branch"
  git worktree list --porcelain -z >"$worktrees/out"
  git update-ref "$branch" "$tip"
  check "$branch"
  git worktree add --quiet --no-checkout "$worktrees/$1" "script/unit/$1"
  git for-each-ref "$branch" >"$worktrees/out"
  cd "$worktrees/$1"
  git read-tree -m -u "$tip"
  for file in "tasks/$1"/*-task.md; do
    /bin/true </dev/null >"$worktrees/agent.log" 2>&1
    sh -c true </dev/null >"$worktrees/gate.log" 2>&1
    accept "$file"
  done
}

# accept FILE: all that was done for a task as one commit, with its file marked.
accept() {
  entry=$(git ls-tree --full-tree "$tip" "$1")
  blob=${entry#* blob }
  blob=${blob%%	*}
  content=$(git cat-file blob "$blob")
  printf '%s\n' "${content%%status: pending*}status: complete${content#*status: pending}" >"$worktrees/marked"
  git for-each-ref "$branch" >"$worktrees/out"
  export GIT_INDEX_FILE="$worktrees/index"
  git read-tree "$tip"
  git ls-files -z -t --stage --others --exclude-standard >"$worktrees/out"
  git add --all
  git diff-index --cached --no-renames --name-only -z "$tip" >"$worktrees/out"
  marked=$(git hash-object -w --no-filters --stdin-paths <<-END
	$worktrees/marked
	END
  )
  git update-index --index-info <<-END
	100644 $marked	$1
	END
  tree=$(git write-tree)
  commit=$(git commit-tree -p "$tip" -F - "$tree" <<-END
	A task
	END
  )
  git config --list --includes --show-scope -z >"$worktrees/out"
  git checkout-index --force --index --stdin <<-END
	$1
	END
  unset GIT_INDEX_FILE
  git update-ref "$branch" "$commit" "$tip"
  tip=$commit
}

# merge UNIT: into the result, with its gates once more, and its worktree and branch go.
merge() {
  git for-each-ref "$result" >"$worktrees/out"
  into=$(git rev-parse "$result")
  git merge-base "$into" "$tip" >"$worktrees/out"
  merged=$tip
  if [ "$into" != "$begin" ]; then
    tree=$(git merge-tree --write-tree "$into" "$tip")
    merged=$(git commit-tree -p "$into" -p "$tip" -m "A unit" "$tree")
    git for-each-ref "$branch" >"$worktrees/out"
    git merge-base "$tip" "$merged" >"$worktrees/out"
    git ls-files -z -t --stage --others --exclude-standard >"$worktrees/out"
    git read-tree -m -u "$tip" "$merged"
    check "$branch"
    git update-ref "$branch" "$merged" "$tip"
    for file in "tasks/$1"/*-task.md; do
      sh -c true </dev/null >"$worktrees/gate.log" 2>&1
    done
  fi
  cd "$repository"
  check "$result"
  git merge-base "$into" "$merged" >"$worktrees/out"
  git worktree list --porcelain -z >"$worktrees/out"
  git update-ref "$result" "$merged" "$into"
  git worktree remove --force "$worktrees/$1"
  check "$branch"
  git worktree list --porcelain -z >"$worktrees/out"
  git update-ref -d "$branch" "$merged"
}

repository=$PWD
for unit in tasks/*/; do
  unit=${unit#tasks/}
  unit=${unit%/}
  work "$unit"
  merge "$unit"
done
git merge --quiet --ff-only script/result
