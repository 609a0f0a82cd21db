import { CelScalar, celFunc, celMethod } from '@bufbuild/cel'
import ipaddr from 'ipaddr.js'
import { described, type Family } from './family.ts'
import { type Opaque, opaque } from './opaque.ts'

const { BOOL, INT, STRING } = CelScalar

type Address = ipaddr.IPv4 | ipaddr.IPv6

interface Network {
  readonly address: Address
  readonly bits: number
}

const fourParts = /^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/

/**
 * An address as Kubernetes takes it: four plain decimal parts, or IPv6 without a zone. IPv4 inside
 * IPv6 has two spellings of one host, so it is none.
 */
function readAddress(text: string): Address | undefined {
  if (text.length > 45) return undefined
  if (!text.includes(':')) {
    return fourParts.test(text) && ipaddr.IPv4.isValid(text) ? ipaddr.IPv4.parse(text) : undefined
  }
  if (!/^[0-9a-fA-F:.]+$/.test(text) || !ipaddr.IPv6.isValid(text)) return undefined
  const [, tail] = /:([^:]*\.[^:]*)$/.exec(text) ?? []
  if (tail !== undefined && !fourParts.test(tail)) return undefined
  const address = ipaddr.IPv6.parse(text)
  return address.isIPv4MappedAddress() ? undefined : address
}

function readNetwork(text: string): Network | undefined {
  if (text.length > 49) return undefined
  const [host = '', length = '', ...more] = text.split('/')
  const address = readAddress(host)
  if (address === undefined || more.length > 0 || !/^(?:0|[1-9]\d{0,2})$/.test(length)) {
    return undefined
  }
  const bits = Number(length)
  return bits <= widthOf(address) ? { address, bits } : undefined
}

const isFour = (address: Address): address is ipaddr.IPv4 => address.kind() === 'ipv4'
const widthOf = (address: Address) => (isFour(address) ? 32 : 128)
const textOf = (address: Address) =>
  isFour(address) ? address.toString() : (address as ipaddr.IPv6).toRFC5952String()

const ipType: Opaque<Address> = opaque('net.IP', { write: textOf, read: readAddress })
const cidrType: Opaque<Network> = opaque('net.CIDR', {
  write: ({ address, bits }) => `${textOf(address)}/${bits}`,
  read: readNetwork,
})
export const addressTypes = [ipType.desc, cidrType.desc]

function parsed<T>(text: string, read: (text: string) => T | undefined, what: string): T {
  const value = read(text)
  if (value === undefined) throw new TypeError(`not ${what}`)
  return value
}
const address = (text: string) => parsed(text, readAddress, 'an IP address')
const network = (text: string) => parsed(text, readNetwork, 'an address range such as `10.0.0.0/8`')

/** Whether the first `bits` bits of both are the same. */
function within({ address: base, bits }: Network, other: Address): boolean {
  if (base.kind() !== other.kind()) return false
  const [a, b] = [base.toByteArray(), other.toByteArray()]
  return a.every((byte, i) => {
    const mask = (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))) & 0xff
    return (byte & mask) === ((b[i] ?? 0) & mask)
  })
}

function masked({ address: base, bits }: Network): Network {
  const bytes = base.toByteArray().map((byte, i) => {
    return byte & (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i)))
  })
  return { address: ipaddr.fromByteArray(bytes), bits }
}

const contains = (outer: Network, inner: Network) =>
  outer.bits <= inner.bits && within(outer, inner.address)

const ranges: readonly (readonly [string, readonly string[], string])[] = [
  ['isUnspecified', ['0.0.0.0/32', '::/128'], 'Whether it is `0.0.0.0` or `::`.'],
  ['isLoopback', ['127.0.0.0/8', '::1/128'], 'Whether it is the own host.'],
  ['isLinkLocalMulticast', ['224.0.0.0/24', 'ff02::/16'], 'Whether it is a group on the own link.'],
  ['isLinkLocalUnicast', ['169.254.0.0/16', 'fe80::/10'], 'Whether it is a host on the own link.'],
]
/** What is no single host beyond the own link. Private ranges are none of these. */
const notGlobal = [
  ...['0.0.0.0/32', '::/128', '127.0.0.0/8', '::1/128', '224.0.0.0/4', 'ff00::/8'],
  ...['169.254.0.0/16', 'fe80::/10', '255.255.255.255/32'],
]

export function addresses(): Family {
  const inRange = (names: readonly string[]) => {
    const networks = names.map(network)
    return (value: Address) => networks.some((range) => within(range, value))
  }
  const special = inRange(notGlobal)
  const tests = ranges.map(([name, names, summary]) => ({ name, summary, test: inRange(names) }))
  tests.push({
    name: 'isGlobalUnicast',
    summary: 'Whether it is a host beyond the own link, private ranges included.',
    test: (value) => !special(value),
  })
  return {
    title: 'Addresses',
    functions: [
      described('ip', ['ip(string) → IP', 'CIDR.ip() → IP'], 'An IP address, or that of a range.'),
      described(
        'isIP',
        ['isIP(string) → bool'],
        'Whether a text is an address without a zone, and no IPv4 inside IPv6.',
      ),
      described(
        'ip.isCanonical',
        ['ip.isCanonical(string) → bool'],
        'Whether an address is written in its canonical form.',
      ),
      described('family', ['IP.family() → int'], '4 or 6.'),
      ...tests.map(({ name, summary }) => described(name, [`IP.${name}() → bool`], summary)),
      described('cidr', ['cidr(string) → CIDR'], 'An address range such as `10.0.0.0/8`.'),
      described('isCIDR', ['isCIDR(string) → bool'], 'Whether a text is such a range.'),
      described(
        'containsIP',
        ['CIDR.containsIP(IP) → bool', 'CIDR.containsIP(string) → bool'],
        'Whether the address is in the range.',
      ),
      described(
        'containsCIDR',
        ['CIDR.containsCIDR(CIDR) → bool', 'CIDR.containsCIDR(string) → bool'],
        'Whether the whole other range is in the range.',
      ),
      described('masked', ['CIDR.masked() → CIDR'], 'The range, starting at its first address.'),
      described('prefixLength', ['CIDR.prefixLength() → int'], 'The bits that all have in common.'),
    ],
    implementations: [
      celFunc('ip', [STRING], ipType.type, (text) => ipType.wrap(address(text))),
      celFunc('isIP', [STRING], BOOL, (text) => readAddress(text) !== undefined),
      celFunc('ip.isCanonical', [STRING], BOOL, (text) => textOf(address(text)) === text),
      celFunc('string', [ipType.type], STRING, (value) => textOf(ipType.unwrap(value))),
      celMethod('family', ipType.type, [], INT, function () {
        return isFour(ipType.unwrap(this)) ? 4n : 6n
      }),
      ...tests.map(({ name, test }) =>
        celMethod(name, ipType.type, [], BOOL, function () {
          return test(ipType.unwrap(this))
        }),
      ),
      ...networkFunctions(),
    ],
  }
}

function networkFunctions() {
  const { type, wrap, unwrap } = cidrType
  return [
    celFunc('cidr', [STRING], type, (text) => wrap(network(text))),
    celFunc('isCIDR', [STRING], BOOL, (text) => readNetwork(text) !== undefined),
    celFunc('string', [type], STRING, (value) => {
      const { address: base, bits } = unwrap(value)
      return `${textOf(base)}/${bits}`
    }),
    celMethod('ip', type, [], ipType.type, function () {
      return ipType.wrap(unwrap(this).address)
    }),
    celMethod('containsIP', type, [ipType.type], BOOL, function (other) {
      return within(unwrap(this), ipType.unwrap(other))
    }),
    celMethod('containsIP', type, [STRING], BOOL, function (other) {
      return within(unwrap(this), address(other))
    }),
    celMethod('containsCIDR', type, [type], BOOL, function (other) {
      return contains(unwrap(this), unwrap(other))
    }),
    celMethod('containsCIDR', type, [STRING], BOOL, function (other) {
      return contains(unwrap(this), network(other))
    }),
    celMethod('masked', type, [], type, function () {
      return wrap(masked(unwrap(this)))
    }),
    celMethod('prefixLength', type, [], INT, function () {
      return BigInt(unwrap(this).bits)
    }),
  ]
}
