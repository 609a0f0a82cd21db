import assert from 'node:assert/strict'
import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readAuditLine } from './audit-event.ts'
import { followAuditLog } from './audit-log.ts'

function line(auditID: string, changed: object = {}): string {
  return JSON.stringify({
    ...{ auditID, stage: 'ResponseComplete', verb: 'patch' },
    requestURI: '/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=x',
    user: { username: 'mediator', extra: { a: ['b'] } },
    impersonatedUser: { username: 'executor', extra: { 'jackstay.dev/intent': ['i'] } },
    objectRef: { resource: 'deployments', namespace: 'shop', name: 'web', apiGroup: 'apps' },
    responseStatus: { code: 200 },
    requestReceivedTimestamp: '2026-01-01T00:00:00.123456Z',
    stageTimestamp: '2026-01-01T00:00:00.200000Z',
    ...changed,
  })
}

describe('a line of the audit log', () => {
  it('tells who wrote what, by whoever was impersonated', () => {
    const write = readAuditLine(line('a1'))
    assert.equal(write?.user, 'executor')
    assert.equal(write?.caller, 'mediator')
    assert.deepEqual(write?.extra, { 'jackstay.dev/intent': ['i'] })
    assert.equal(write?.namespace, 'shop')
    assert.equal((write?.endedAt ?? 0) - (write?.receivedAt ?? 0), 77)
  })

  it('of a read, a dry run or a stage before the answer is no change', () => {
    assert.equal(readAuditLine(line('a1', { verb: 'get' })), undefined)
    assert.equal(readAuditLine(line('a1', { stage: 'RequestReceived' })), undefined)
    assert.equal(readAuditLine(line('a1', { requestURI: '/x?dryRun=All' })), undefined)
  })

  it('names what a creation made', () => {
    const responseObject = { metadata: { name: 'made' } }
    const write = readAuditLine(
      line('a1', { verb: 'create', objectRef: { resource: 'jobs' }, responseObject }),
    )
    assert.equal(write?.name, 'made')
  })

  it('that is none is an error, never passed over', () => {
    assert.throws(() => readAuditLine('{}'))
    assert.throws(() => readAuditLine('{"auditID":'))
  })
})

describe('the audit log', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jackstay-audit-'))
  })
  after(async () => await rm(folder, { recursive: true }))

  it('is read from where it stands, over its rotations, and no line twice', async () => {
    const path = join(folder, 'audit.log')
    await writeFile(path, `${line('old')}\n`)
    const log = await followAuditLog(path)
    const ids = async () => (await log.read()).map(({ auditId }) => auditId)
    assert.deepEqual(await ids(), [])
    await appendFile(path, `${line('a1')}\n${line('a2').slice(0, 20)}`)
    assert.deepEqual(await ids(), ['a1'], 'half a line waits for its end')
    await appendFile(path, `${line('a2').slice(20)}\n${line('a3')}\n`)
    await rename(path, join(folder, 'audit-2026-01-01T00-00-00.000.log'))
    await writeFile(path, `${line('a4')}\n`)
    await rename(path, join(folder, 'audit-2026-01-01T00-00-01.000.log'))
    await writeFile(path, `${line('a5')}\n`)
    assert.deepEqual(await ids(), ['a2', 'a3', 'a4', 'a5'])
    await appendFile(path, `${line('a6')}\n`)
    assert.deepEqual(await ids(), ['a6'])
    await log.close()
  })
})
