import { readQuantity } from '@jackstay/judge/quantities'
import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'

/** What one object counts for, by the names that quotas use. */
export interface Usage {
  readonly amounts: Readonly<Record<string, string>>
  /** Containers that do not say an amount. */
  readonly silent: Readonly<Record<string, readonly string[]>>
}

/** Kinds that quotas also know by their plural alone. */
const plain = [
  ...['configmaps', 'persistentvolumeclaims', 'pods', 'replicationcontrollers'],
  ...['resourcequotas', 'secrets', 'services'],
]

export function usageOf(
  { group, resource }: { readonly group: string; readonly resource: string },
  object: KubeObject,
): Usage {
  const qualified = group === '' ? resource : `${resource}.${group}`
  const counted = {
    [`count/${qualified}`]: '1',
    ...(group === '' && plain.includes(resource) && { [resource]: '1' }),
  }
  if (qualified !== 'pods') return { amounts: counted, silent: {} }
  const spec = isRecord(object.spec) ? object.spec : {}
  const of = (kind: 'requests' | 'limits', name: string) => ofPod(spec, kind, name)
  const each = (['requests', 'limits'] as const).flatMap((kind) =>
    (['cpu', 'memory', 'ephemeral-storage'] as const).flatMap((name) => {
      const found = of(kind, name)
      const names = kind === 'requests' ? [`${kind}.${name}`, name] : [`${kind}.${name}`]
      return names.map((key) => [key, found] as const)
    }),
  )
  const said = each.flatMap(([key, { amount }]) => (amount === '' ? [] : [[key, amount] as const]))
  return {
    amounts: { ...counted, ...Object.fromEntries(said) },
    silent: Object.fromEntries(each.map(([key, { silent }]) => [key, silent])),
  }
}

type Json = Readonly<Record<string, unknown>>

/** The sum of all containers, or the most that one of those before them takes. */
function ofPod(spec: Json, kind: 'requests' | 'limits', name: string) {
  const of = (key: string) => {
    const list: readonly unknown[] = Array.isArray(spec[key]) ? spec[key] : []
    return list.filter(isRecord).map((container) => {
      const { resources } = container
      const amounts = isRecord(resources) ? resources[kind] : undefined
      const amount = isRecord(amounts) ? amounts[name] : undefined
      return { name: String(container.name), amount: amount === undefined ? '' : String(amount) }
    })
  }
  const [containers, first] = [of('containers'), of('initContainers')]
  const all = [...containers, ...first]
  const texts = all.map(({ amount }) => amount).filter((amount) => amount !== '')
  const nanos = (amount: string) => readQuantity(amount) ?? 0n
  const sum = containers.reduce((total, { amount }) => total + nanos(amount), 0n)
  const most = first.reduce((top, { amount }) => (nanos(amount) > top ? nanos(amount) : top), sum)
  const silent = all.filter(({ amount }) => amount === '').map((one) => one.name)
  return { amount: texts.length === 0 ? '' : amountText(most, texts), silent: silent.toSorted() }
}

const billion = 1_000_000_000n
const binary = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const decimal = ['k', 'M', 'G', 'T', 'P', 'E']

/** A quantity in its shortest form: in powers of two where the first that was written is. */
export function amountText(nanos: bigint, written: readonly string[]): string {
  if (nanos % billion !== 0n) return `${(nanos + 999_999n) / 1_000_000n}m`
  const powers = written.some((text) => text.endsWith('i'))
  const [step, suffixes] = powers ? [1024n, binary] : [1000n, decimal]
  let [value, level] = [nanos / billion, 0]
  while (value !== 0n && value % step === 0n && level < suffixes.length) {
    value /= step
    level++
  }
  return `${value}${level === 0 ? '' : suffixes[level - 1]}`
}
