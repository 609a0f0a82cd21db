import { JackstayError } from '@jackstay/contract/errors'

/** @throws JackstayError `invalid_config` where a token would travel in clear text */
export function assertPrivate(
  flag: string,
  url: string | undefined,
  tokenFile: string | undefined,
): void {
  if (url === undefined || tokenFile === undefined) return
  const { protocol, hostname } = new URL(url)
  if (protocol === 'https:' || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)) return
  throw new JackstayError(
    'invalid_config',
    `\`${flag}\` would send its token to \`${hostname}\` in clear text: give an https URL, or leave the file out`,
  )
}
