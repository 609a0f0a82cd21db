import { badRequest, quote, type Status } from '../status.ts'
import type { Headers } from './impersonation.ts'

/** Somebody as impersonation headers name them; empty text for what they leave out. */
export interface Wanted {
  readonly username: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

const extraPrefix = 'impersonate-extra-'

/** Undefined without any such header; a 400 where others come without a user. */
export function wantedUser(headers: Headers): Wanted | Status | undefined {
  const wanted: Wanted = {
    username: headers['impersonate-user']?.[0] ?? '',
    uid: headers['impersonate-uid']?.[0] ?? '',
    groups: headers['impersonate-group'] ?? [],
    extra: extraOf(headers),
  }
  if (wanted.username !== '') return wanted
  const { uid, groups, extra } = wanted
  if (uid === '' && groups.length === 0 && Object.keys(extra).length === 0) return undefined
  return badRequest(`requested ${goText(wanted)} without impersonating a user name`)
}

function extraOf(headers: Headers): Wanted['extra'] {
  const extra = new Map<string, readonly string[]>()
  for (const [name, values = []] of Object.entries(headers)) {
    if (!name.startsWith(extraPrefix)) continue
    // `%2F` and `%2f` are two headers of one key
    const key = unescaped(name.slice(extraPrefix.length))
    extra.set(key, [...(extra.get(key) ?? []), ...values])
  }
  return Object.fromEntries(extra)
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    // a real server takes such a key as it is
    return key
  }
}

/** As Go prints the structure, which the real server's message holds. */
function goText({ username, uid, groups, extra }: Wanted): string {
  const list = (values: readonly string[]) =>
    values.length === 0 ? '[]string(nil)' : `[]string{${values.map(quote).join(', ')}}`
  const keys = Object.keys(extra).sort()
  const pairs = keys.map((key) => `${quote(key)}:${list(extra[key] ?? [])}`).join(', ')
  const map = `map[string][]string${keys.length === 0 ? '(nil)' : `{${pairs}}`}`
  return `&user.DefaultInfo{Name:${quote(username)}, UID:${quote(uid)}, Groups:${list(groups)}, Extra:${map}}`
}
