import { isList, isMap, type Json, type JsonMap, parseLimited } from '@jackstay/contract/json'
import { visible } from '@jackstay/contract/text'
import type { KubeObject } from '@jackstay/kube/resources'
import { redacted } from '@jackstay/service/redact'
import { namesSecret, withoutSecrets } from '@jackstay/service/secret-shapes'

export const withheldText = '[withheld]'
const maxAnnotation = 1024
const maxText = 16 * 1024
/** Copies of the whole object, as various tools keep them. */
const copies = /last-applied|last-configuration|applied-config|\/applied$/i
/** Lists of `{name, value}` whose values may be secrets: environment variables, probe headers. */
export const namesOnly: ReadonlySet<string> = new Set(['env', 'httpHeaders'])
/** Maps that anybody fills for a program of their own. */
const freeMaps = new Set(['annotations', 'parameters', 'volumeAttributes', 'options'])
/** On nodes: images and volumes of every tenant (T76). */
const ofAllTenants = new Set(['images', 'volumesInUse', 'volumesAttached'])

/** Larger than any object the API server stores. */
const limits = { bytes: 16 * 1024 * 1024, depth: 64, nodes: 1_000_000 }

/** Takes secrets out of what was read and counts them, for one answer. */
export class Stripper {
  withheld = 0

  /**
   * An object as an agent may see it (T38): without managed fields and copies of itself in annotations,
   * environment variables and probe headers by name only, every text without shapes of secrets and
   * without characters that hide or move others.
   */
  object(object: KubeObject): JsonMap {
    const value = this.#clean(parseLimited(JSON.stringify(object), limits), object.kind === 'Node')
    return isMap(value) ? value : {}
  }

  /** A text that somebody else wrote, line by line as it was. */
  text(text: string, max = maxText): string {
    if (isPlain(text)) return text
    const { text: clean, withheld } = withoutSecrets(text)
    this.withheld += withheld
    const lines = clean.includes('\n') ? clean.split(/\r?\n/) : [clean]
    const shown = lines.map((line) => visible(line, max)).join('\n')
    return shown.length <= max ? shown : visible(shown, max)
  }

  #clean(value: Json, node: boolean): Json {
    if (typeof value === 'string') return this.text(value)
    if (isList(value)) return this.#list(value, node)
    if (!isMap(value)) return value
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]): [string, Json][] => {
        if (key === 'managedFields' || (node && ofAllTenants.has(key))) return []
        if (freeMaps.has(key) && isMap(item)) return [[key, this.#free(item, node)]]
        if (namesOnly.has(key) && isList(item)) return [[key, item.map((one) => this.#nameOf(one))]]
        return [[key, this.#clean(item, node)]]
      }),
    )
  }

  /** Flags and their values can stand in two items: `['--password', 'hunter2']`. */
  #list(list: readonly Json[], node: boolean): Json {
    return list.map((item, i) => {
      const before = list[i - 1]
      const isValue =
        typeof item === 'string' &&
        typeof before === 'string' &&
        /^--?[\w.-]+$/.test(before) &&
        namesSecret(before) &&
        !item.startsWith('-')
      if (!isValue) return this.#clean(item, node)
      this.withheld++
      return redacted
    })
  }

  #free(map: JsonMap, node: boolean): Json {
    return Object.fromEntries(
      Object.entries(map)
        .filter(([key]) => !copies.test(key))
        .map(([key, item]) => {
          const long = typeof item === 'string' && item.length > maxAnnotation
          if (!long && !namesSecret(key)) return [key, this.#clean(item, node)]
          this.withheld++
          return [key, withheldText]
        }),
    )
  }

  #nameOf(item: Json): Json {
    if (!isMap(item) || 'value' in item || 'valueFrom' in item) this.withheld++
    if (!isMap(item) || typeof item.name !== 'string') return withheldText
    return { name: visible(item.name, 256) }
  }
}

/** Names, numbers and times as Kubernetes itself writes them hold no secret and nothing hidden. */
function isPlain(text: string): boolean {
  return text.length < 64 && /^(?:[a-z0-9.-]*|[A-Za-z]{1,40}|[0-9TZ:.-]*)$/.test(text)
}
