import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { type Alertmanager, startAlertmanager } from './alertmanager.ts'
import { availability } from './cluster.ts'
import { unlessCi } from './unless-ci.ts'

const { source, missing } = await availability()
const skip =
  source === 'build' ? undefined : `no Alertmanager can be built here: ${missing[0]?.what}`

const posted = z.object({
  alerts: z.array(
    z.object({
      status: z.enum(['firing', 'resolved']),
      labels: z.record(z.string(), z.string()),
      annotations: z.record(z.string(), z.string()),
      startsAt: z.string(),
    }),
  ),
})
type Post = z.infer<typeof posted> & { readonly authorization: string | undefined }

describe('a real Alertmanager', { ...unlessCi(skip), timeout: 600_000 }, () => {
  let directory: string
  let alertmanager: Alertmanager
  const posts: Post[] = []
  const webhook = createServer(async (request, response) => {
    const body = posted.parse(JSON.parse(Buffer.concat(await request.toArray()).toString()))
    posts.push({ ...body, authorization: request.headers.authorization })
    response.end()
    webhook.emit('post')
  })

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'jackstay-alertmanager-'))
    webhook.listen({ host: '127.0.0.1', port: 0 })
    await once(webhook, 'listening')
    const address = webhook.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const webhookUrl = `http://127.0.0.1:${port}/`
    alertmanager = await startAlertmanager({ directory, webhookUrl, bearerToken: 'a-token' })
  })
  after(async () => {
    await alertmanager?.stop()
    webhook.close()
    await rm(directory, { recursive: true })
  })

  async function nextPost(): Promise<Post> {
    if (posts.length === 0) await once(webhook, 'post', { signal: AbortSignal.timeout(30_000) })
    const post = posts.shift()
    assert.ok(post)
    return post
  }

  test('posts an alert with its token when it fires and when it is over', async () => {
    const labels = { alertname: 'Fire', namespace: 'shop' }
    const startsAt = '2026-01-02T03:04:05Z'
    await alertmanager.fire({ labels, annotations: { summary: 'it burns' }, startsAt })
    const { authorization, alerts } = await nextPost()
    assert.equal(authorization, 'Bearer a-token')
    const annotations = { summary: 'it burns' }
    assert.deepEqual(alerts, [{ status: 'firing', labels, annotations, startsAt }])
    await alertmanager.resolve({ labels })
    assert.equal((await nextPost()).alerts[0]?.status, 'resolved')
  })

  test('posts every alert by itself', async () => {
    await alertmanager.fire({ labels: { alertname: 'One' } })
    await alertmanager.fire({ labels: { alertname: 'Two' } })
    const names = [await nextPost(), await nextPost()].map(({ alerts }) =>
      alerts.map(({ labels }) => labels.alertname),
    )
    assert.deepEqual(names.toSorted(), [['One'], ['Two']])
  })

  test('ends with the program that started it, however that ends', async () => {
    const folder = await mkdtemp(join(directory, 'owned-'))
    const owner = spawn(process.execPath, ['--input-type=module', '--eval', ownerScript(folder)])
    const [said] = await once(owner.stdout, 'data')
    const url = String(said).trim()
    assert.ok((await fetch(`${url}/-/ready`)).ok)
    owner.kill('SIGKILL')
    await gone(url)
  })
})

function ownerScript(directory: string): string {
  const module = JSON.stringify(new URL('alertmanager.ts', import.meta.url).href)
  const options = { directory, webhookUrl: 'http://127.0.0.1:1/', bearerToken: 'a-token' }
  return `const { startAlertmanager } = await import(${module})
console.log((await startAlertmanager(${JSON.stringify(options)})).url)
setInterval(() => {}, 1000)`
}

async function gone(url: string): Promise<void> {
  const end = performance.now() + 15_000
  for (;;) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer === undefined) return
    assert.ok(performance.now() < end, `\`${url}\` still answers`)
    await delay(100)
  }
}
