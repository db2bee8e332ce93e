/**
 * The name of this machine in records that several machines share: its host name and a digest of its machine id. It is the same
 * after a restart of the machine, or of a container in place, so that what was left before the restart is recognized.
 *
 * One of the two is not enough: containers of one image share the machine id of that image, or have none, and cloned virtual machines
 * keep it, but each of them usually gets a host name; hosts named `localhost` have machine ids. Boot id and process namespace
 * are not part of it, since they change with a restart. Clones that share both names are one machine to this program.
 */
import { Context } from "effect"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { hostname } from "node:os"

/** It is read where several machines share records, and nowhere else; tests of several machines replace it. */
export class MachineRef extends Context.Reference<MachineRef>()("charlotte/Machine", {
  defaultValue: (): string => nameOf({ hostname: hostname(), machineId: machineId() })
}) {}

/** Hides the machine id, which is confidential according to machine-id(5); the records are not. */
export const nameOf = ({ hostname, machineId }: { readonly hostname: string; readonly machineId: string }): string =>
  machineId === ""
    ? hostname
    : `${hostname}/${createHash("sha256").update(`charlotte ${machineId}`).digest("hex").slice(0, 12)}`

const machineId = (): string => {
  for (const file of ["/etc/machine-id", "/var/lib/dbus/machine-id"]) {
    try {
      const [id] = /^[0-9a-f]{32}$/m.exec(readFileSync(file, "utf8")) ?? []
      if (id !== undefined) return id
    } catch {
      // Container images often lack it.
    }
  }
  return ""
}
