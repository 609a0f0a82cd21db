import type { Readable as ByteStream } from 'node:stream'
import { durationSeconds } from '@jackstay/contract/duration'
import type { LogsAnswer, LogsRequest } from '@jackstay/contract/reads'
import { visible } from '@jackstay/contract/text'
import { objectPath } from '@jackstay/kube/resources'
import { withoutSecrets } from '@jackstay/service/secret-shapes'
import type { AgentReader } from './agent.ts'
import { evidenceOf } from './read.ts'

/** What the API server may send for one answer: it counts from the oldest line that is asked for. */
const serverBytes = 4 * 1024 * 1024
/** What is looked at of it: the newest. */
const keptBytes = 64 * 1024
const maxLine = 2048

/**
 * Reads the newest lines of one container. They are hostile text: whoever can make a program log can
 * write here, so nothing of them is interpreted (T61).
 * @throws JackstayError `forbidden`, `not_found`, `invalid_request`, `upstream_unavailable`
 */
export async function readLogs(reader: AgentReader, request: LogsRequest): Promise<LogsAnswer> {
  const { namespace, name, container, previous, tail, since } = request
  const query = {
    container,
    previous,
    tailLines: tail,
    sinceSeconds: since === undefined ? undefined : durationSeconds(since),
    timestamps: true,
    limitBytes: serverBytes,
  }
  const stream = await reader.logs(namespace, name, query)
  const { text, cut } = await newest(stream, keptBytes)
  const { lines, withheld } = linesOf(text)
  const path = objectPath({ apiVersion: 'v1', resource: 'pods', namespace, name }, 'log')
  const asked = new URLSearchParams({
    ...(container && { container }),
    ...(previous && { previous: 'true' }),
    tailLines: `${tail}`,
    ...(since && { since }),
  })
  return {
    untrusted: true,
    withheld,
    ...(container && { container }),
    previous,
    lines,
    truncated: cut,
    evidence: evidenceOf(`k8s:${path}?${asked}`, lines),
  }
}

/** The last bytes of a stream, from the beginning of a line on. */
async function newest(stream: ByteStream, max: number): Promise<{ text: string; cut: boolean }> {
  const chunks: Buffer[] = []
  let size = 0
  let cut = false
  for await (const chunk of stream) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
    chunks.push(bytes)
    size += bytes.length
    while (size - (chunks[0]?.length ?? 0) >= max) {
      size -= chunks.shift()?.length ?? 0
      cut = true
    }
  }
  let all = Buffer.concat(chunks)
  if (all.length > max) {
    all = all.subarray(all.length - max)
    cut = true
  }
  const from = cut ? all.indexOf(0x0a) + 1 : 0
  return { text: all.subarray(from).toString('utf8'), cut }
}

const stamped = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:(\.\d{1,3})\d*)?(Z|[+-]\d\d:\d\d) ?/

/** Lines with their times; secrets are looked for over all of them, since keys span several. */
export function linesOf(text: string): {
  lines: LogsAnswer['lines']
  withheld: number
} {
  const raw = text.split('\n').map((line) => line.replace(/\r$/, ''))
  if (raw.at(-1) === '') raw.pop()
  if (raw.length === 0) return { lines: [], withheld: 0 }
  const times = raw.map((line) => stamped.exec(line))
  const bodies = raw.map((line, i) => line.slice(times[i]?.[0].length ?? 0))
  const { text: clean, withheld } = withoutSecrets(bodies.join('\n'))
  const lines = clean.split('\n').map((body, i) => {
    const time = times[i]
    const at = time && `${time[1]}${time[2] ?? ''}${time[3]}`
    return { ...(at && { at }), text: visible(body, maxLine) }
  })
  return { lines, withheld }
}
