import { JackstayError } from '@jackstay/contract/errors'

/** Whom a request is made as. The API server checks the right to do so for every part. */
export interface Impersonation {
  readonly username: string
  readonly groups?: readonly string[]
  readonly uid?: string
  /** Keys in lower case, as the API server sees them, e.g. `jackstay.dev/intent`. */
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/**
 * The impersonation headers, in pairs, one line per value.
 * @throws JackstayError `invalid_request` for a value that a header cannot carry unchanged
 */
export function impersonationHeaders(who: Impersonation): [string, string][] {
  const headers: [string, string][] = [['Impersonate-User', value('username', who.username)]]
  if (who.uid !== undefined) headers.push(['Impersonate-Uid', value('uid', who.uid)])
  for (const group of who.groups ?? []) headers.push(['Impersonate-Group', value('group', group)])
  for (const [key, values] of Object.entries(who.extra ?? {})) {
    const name = `Impersonate-Extra-${extraKey(key)}`
    for (const item of values) headers.push([name, value(`extra ${key}`, item)])
  }
  return headers
}

/** The API server lower-cases header names before unescaping, so upper case would arrive changed. */
function extraKey(key: string): string {
  if (key === '' || key !== key.toLowerCase()) {
    throw new JackstayError(
      'invalid_request',
      `the extra key \`${key}\` must be lower case and not empty`,
    )
  }
  return encodeURIComponent(key).replace(/[()]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)
}

/** Header values lose outer white space and cannot carry control or non-ASCII characters. */
function value(what: string, text: string): string {
  if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text)) {
    throw new JackstayError(
      'invalid_request',
      `the impersonated ${what} \`${text}\` must be printable ASCII without outer spaces`,
    )
  }
  return text
}
