import { join } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'
import { readBounded, tooLarge } from '../store/bounded-file.ts'
import { hashSize, tilePath, tileWidth } from './tiles.ts'

/** Where a verifier takes a log from: the C2SP layout, whatever it lies in. */
export interface TileReader {
  /** The newest checkpoint, or undefined where there is none. */
  checkpoint(): Promise<string | undefined>
  /** A hash tile or an entry bundle, `width` 1 to 256; undefined when missing. */
  tile(level: number | 'entries', index: number, width: number): Promise<Uint8Array | undefined>
}

const checkpointLimit = 64 * 1024
const bundleLimit = tileWidth * (2 + 0xffff)

function limitOf(level: number | 'entries'): number {
  return level === 'entries' ? bundleLimit : tileWidth * hashSize
}

/** Reads a folder that `exportTiles`, or any other C2SP log, wrote. */
export function directoryReader(directory: string): TileReader {
  return {
    async checkpoint() {
      const bytes = await readBounded(join(directory, 'checkpoint'), checkpointLimit)
      return bytes?.toString('utf8')
    },
    async tile(level, index, width) {
      return readBounded(join(directory, tilePath({ level, index, width })), limitOf(level))
    },
  }
}

export interface HttpReaderOptions {
  /** Where `checkpoint` and `tile/` lie. */
  readonly base: URL
  readonly fetch: (url: URL, init: { readonly signal: AbortSignal }) => Promise<Response>
  /** Ends the whole reading. */
  readonly signal: AbortSignal
  /** For each request, in milliseconds. */
  readonly timeoutMs: number
}

/**
 * Reads a log that is served over HTTP.
 * @throws JackstayError `upstream_unavailable` for answers other than 200 and 404, `too_large`
 */
export function httpReader({ base, fetch, signal, timeoutMs }: HttpReaderOptions): TileReader {
  const root = base.href.endsWith('/') ? base : new URL(`${base.href}/`)
  const get = async (path: string, limit: number): Promise<Buffer | undefined> => {
    const url = new URL(path, root)
    const response = await fetch(url, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
    if (response.ok) return readBody(response, url.href, limit)
    await response.body?.cancel()
    if (response.status === 404) return undefined
    throw new JackstayError(
      'upstream_unavailable',
      `\`${url.href}\` answered ${response.status}: check the address and your rights`,
    )
  }
  return {
    checkpoint: async () => (await get('checkpoint', checkpointLimit))?.toString('utf8'),
    tile: (level, index, width) => get(tilePath({ level, index, width }), limitOf(level)),
  }
}

async function readBody(response: Response, url: string, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > limit) throw tooLarge(url, limit)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
