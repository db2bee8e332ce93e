/**
 * The name of this machine in records that several machines share: its host name and a digest of its machine id. It is the same
 * after a restart of the machine, or of a container in place, so that what was left before is recognized then.
 *
 * One of the two is not enough: containers of one image have the machine id of that image, or none, and virtual machines that were
 * cloned keep it, but each of them usually gets a host name; hosts named `localhost` have machine ids. Boot id and process namespace
 * are not part of it, since they change with a restart. Clones that share both names are one machine to this program.
 */
import { Context } from "effect"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { hostname } from "node:os"

/** Read where several machines share records, and nowhere else; tests of several machines replace it. */
export class MachineRef extends Context.Reference<MachineRef>()("charlotte/Machine", {
  defaultValue: (): string => nameOf({ hostname: hostname(), machineId: machineId() })
}) {}

/** A machine id is confidential, according to machine-id(5), and the records are not. */
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
      // Images of containers often lack it.
    }
  }
  return ""
}
