/**
 * Control groups (cgroup v2) of attempts, if this program's own group is delegated to its user. A process can leave its session and
 * hide its environment, but not leave its group unless it is moved; and the kernel reports when a group is empty, and kills all of
 * its processes at once.
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync
} from "node:fs"
import { join, relative } from "node:path"

/** The group of one attempt, with all groups below it. */
export interface Cgroup {
  readonly directory: string
  readonly pids: () => ReadonlyArray<number>
  /** Kills all of its processes at once, by SIGKILL. */
  readonly kill: () => void
  /** Whether it has a live process, according to the kernel. */
  readonly isPopulated: () => boolean
  /** Removes it if it is empty; returns whether it is gone. */
  readonly remove: () => boolean
}

export interface Cgroups {
  /** This program's group, the parent of the attempts' groups; missing if it is not delegated to this user. */
  readonly delegated: string | undefined
  /** Undefined if it cannot be created. */
  readonly make: (cookie: string) => Cgroup | undefined
  /** An existing group, even if an earlier manager created it in another group. */
  readonly find: (cookie: string) => Cgroup | undefined
}

const orElse = <A>(f: () => A, otherwise: A): A => {
  try {
    return f()
  } catch {
    return otherwise
  }
}

const read = (path: string) => orElse(() => readFileSync(path, "utf8"), "")

const children = (directory: string): ReadonlyArray<string> =>
  orElse(() => readdirSync(directory, { withFileTypes: true }), []).flatMap((entry) =>
    entry.isDirectory() ? [join(directory, entry.name)] : []
  )

const open = (directory: string): Cgroup => {
  const pidsIn = (group: string): ReadonlyArray<number> => [
    ...read(join(group, "cgroup.procs")).split("\n").filter(Boolean).map(Number),
    ...children(group).flatMap(pidsIn)
  ]
  const remove = (group: string): void => {
    children(group).forEach(remove)
    rmdirSync(group)
  }
  return {
    directory,
    pids: () => pidsIn(directory),
    kill: () => orElse(() => writeFileSync(join(directory, "cgroup.kill"), "1"), undefined),
    isPopulated: () => /^populated 1$/m.test(read(join(directory, "cgroup.events"))),
    remove: () => {
      orElse(() => remove(directory), undefined)
      return !existsSync(directory)
    }
  }
}

const isWritable = (path: string) =>
  orElse(() => {
    accessSync(path, constants.W_OK)
    return true
  }, false)

/** The directory of the group of this program. */
const own = (): { readonly mount: string; readonly directory: string } | undefined => {
  const [, path] = /^0::(\/.*)$/m.exec(read("/proc/self/cgroup")) ?? []
  const [, root, mount] = /^\d+ \d+ \S+ (\S+) (\S+) .* - cgroup2 /m.exec(read("/proc/self/mountinfo")) ?? []
  if (path === undefined || root === undefined || mount === undefined) return undefined
  const inside = relative(root, path)
  return inside.startsWith("..") ? undefined : { mount, directory: join(mount, inside) }
}

/** Undefined without cgroup v2. */
export const detect = (): Cgroups | undefined => {
  const found = own()
  if (found === undefined) return undefined
  const { directory, mount } = found
  // The user owns `cgroup.kill` only in groups created below this one. The root group has none.
  const isDelegated =
    existsSync(join(directory, "cgroup.kill")) && [directory, join(directory, "cgroup.procs")].every(isWritable)
  const delegated = isDelegated ? directory : undefined

  const search = (group: string, name: string): string | undefined => {
    const groups = children(group)
    const here = join(group, name)
    return groups.includes(here) ? here : groups.map((child) => search(child, name)).find((path) => path !== undefined)
  }
  return {
    delegated,
    make: (cookie) =>
      orElse(() => {
        if (delegated === undefined) return undefined
        const path = join(delegated, nameOf(cookie))
        mkdirSync(path)
        return open(path)
      }, undefined),
    find: (cookie) => {
      const path = search(mount, nameOf(cookie))
      return path === undefined ? undefined : open(path)
    }
  }
}

const nameOf = (cookie: string) => `charlotte-${cookie}`
