import { JackstayError } from '@jackstay/contract/errors'
import type { Store } from '@jackstay/ledger/store'
import { parseTilePath } from '@jackstay/ledger/tiles'
import type { ServiceEnv } from '@jackstay/service/server'
import type { Context, Hono } from 'hono'

/** The log as C2SP tlog-tiles serves it, for people who hold a reading token. */
export function ledgerRoutes(
  app: Hono<ServiceEnv>,
  store: Store,
  vkey: string,
  demandReader: (c: Context) => Promise<void>,
): void {
  app.get('/ledger/vkey', async (c) => {
    await demandReader(c)
    return c.text(`${vkey}\n`)
  })
  app.get('/ledger/checkpoint', async (c) => {
    await demandReader(c)
    return c.text(await store.checkpoint())
  })
  app.get('/ledger/tile/*', async (c) => {
    await demandReader(c)
    const path = c.req.path.slice('/ledger/'.length)
    const tile = parseTilePath(path)
    if (tile === undefined) throw new JackstayError('not_found', `\`${path}\` is no tile`)
    const bytes =
      tile.level === 'entries'
        ? await store.entries(tile.index, tile.width)
        : await store.tile(tile.level, tile.index, tile.width)
    if (bytes === undefined) throw new JackstayError('not_found', `the log has no \`${path}\` yet`)
    return c.body(new Uint8Array(bytes), 200, { 'content-type': 'application/octet-stream' })
  })
}
