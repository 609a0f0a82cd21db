import { JackstayError } from '@jackstay/contract/errors'
import type { Store } from '@jackstay/ledger/store'
import { parseTilePath } from '@jackstay/ledger/tiles'
import type { ServiceEnv } from '@jackstay/service/server'
import type { Context, Hono } from 'hono'
import type { Outside } from './outside.ts'

/** The log as C2SP tlog-tiles serves it, for people who hold a reading token. */
export function ledgerRoutes(
  app: Hono<ServiceEnv>,
  store: Store,
  vkey: string,
  outside: Outside,
  demandReader: (c: Context) => Promise<void>,
): void {
  app.get('/ledger/vkey', async (c) => {
    await demandReader(c)
    return c.text(`${vkey}\n`)
  })
  app.get('/ledger/checkpoint', async (c) => {
    await demandReader(c)
    return c.text(await outside.checkpoint())
  })
  app.get('/ledger/witnessed', async (c) => {
    await demandReader(c)
    const note = await outside.witnessed()
    if (note === undefined) throw new JackstayError('not_found', 'no checkpoint is cosigned yet')
    return c.text(note)
  })
  app.get('/ledger/status', async (c) => {
    await demandReader(c)
    return c.json(await outside.status())
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
