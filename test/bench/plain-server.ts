import { serve } from '@hono/node-server'
import { Hono } from 'hono'

/** What a user would write without Jackstay: reads the body, says no. */
const app = new Hono()
app.post('/v1/intents', async (c) => {
  const body: unknown = await c.req.json()
  return c.json({ refused: typeof body === 'object' }, 202)
})
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.argv[2]) })
