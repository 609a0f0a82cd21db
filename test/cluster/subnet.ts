/**
 * The addresses of one cluster with a node: `10.99.<index>.0/30` between host and node. What is inside
 * (Pods, Services) may be the same in every cluster, each has a network namespace of its own.
 */
export type Subnet = {
  readonly index: number
  readonly hostLink: string
  readonly hostAddress: string
  readonly nodeAddress: string
}

export const podNetwork = '10.244.0.0/16'
export const nodePodNetwork = '10.244.0.0/24'
export const serviceNetwork = '10.96.0.0/16'
export const apiServiceAddress = '10.96.0.1'
export const dnsServiceAddress = '10.96.0.10'

const LAST_INDEX = 254

export function subnetOf(index: number): Subnet {
  const base = `10.99.${index}`
  return {
    index,
    hostLink: `jackstay${index}`,
    hostAddress: `${base}.1`,
    nodeAddress: `${base}.2`,
  }
}

/** The lowest index whose link and addresses nobody on the host has, given what the host has. */
export function freeIndex(links: readonly string[], addresses: readonly string[]): number {
  for (let index = 1; index <= LAST_INDEX; index += 1) {
    const { hostLink } = subnetOf(index)
    const taken = addresses.some((address) => address.startsWith(`10.99.${index}.`))
    if (!taken && !links.includes(hostLink)) return index
  }
  throw new Error(
    'no free subnet for another cluster, take some down with `npm run cluster -- down`',
  )
}
