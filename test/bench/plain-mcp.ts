import { serve } from '@hono/node-server'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { Hono } from 'hono'
import { z } from 'zod'

/** What a user would write without Jackstay: the library's `McpServer` with as many tools, doing nothing. */
const inputSchema = z.object({
  target: z.object({ kind: z.string(), namespace: z.string(), name: z.string() }),
  params: z.object({ replicas: z.int() }),
  reasoning: z.object({ summary: z.string() }),
})
const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'plain', version: '1' })
  for (let n = 0; n < 20; n++) {
    server.registerTool(
      `workload_scale${n}`,
      { description: 'Scales.', inputSchema },
      async () => ({
        content: [{ type: 'text', text: '{"phase":"verified"}' }],
        structuredContent: { phase: 'verified' },
      }),
    )
  }
  return server
})
const app = new Hono()
app.get('/readyz', (c) => c.text('ready'))
app.all('/mcp', (c) => handler.fetch(c.req.raw))
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.argv[2]) })
