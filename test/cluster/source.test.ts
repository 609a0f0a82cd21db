import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { availabilityIn, missingError } from './source.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jackstay-source-test-'))
  for (const name of ['go', 'etcd', 'kube-apiserver', 'kubectl']) {
    await writeFile(join(folder, name), '')
    await chmod(join(folder, name), 0o755)
  }
})
after(() => rm(folder, { recursive: true }))

test('without a Go toolchain nothing can be had, and the way out is said', () => {
  const { source, node, missing } = availabilityIn({ PATH: '/nowhere' }, true)
  assert.equal(source, 'none')
  assert.equal(node, false)
  assert.match(missing[0]?.typeInstead ?? '', /install go/)
})

test('with everything built already no Go toolchain is needed', () => {
  assert.equal(availabilityIn({ PATH: '/nowhere' }, true, true).source, 'build')
})

test('a Go toolchain that is too old is named with its version', async () => {
  const old = await mkdtemp(join(folder, 'old-'))
  await writeFile(join(old, 'go'), '#!/bin/sh\necho go1.19.8\n', { mode: 0o755 })
  const { source, missing } = availabilityIn({ PATH: old }, true)
  assert.equal(source, 'none')
  assert.match(missing[0]?.what ?? '', /`go1\.19\.8`/)
})

test('without root there is a control plane and no node', async () => {
  const tools = await mkdtemp(join(folder, 'tools-'))
  for (const name of ['unshare', 'nsenter', 'ip', 'apt-get', 'dpkg']) {
    await writeFile(join(tools, name), '', { mode: 0o755 })
  }
  const found = availabilityIn({ PATH: `${folder}:${tools}` }, false)
  assert.equal(found.source, 'build')
  assert.equal(found.node, false)
  assert.match(found.missing[0]?.what ?? '', /root/)
  assert.match(missingError(found).message, /type: sudo .*\n.*type: npm run cluster -- up$/)
})

test('binaries that the user has are used, for a control plane', () => {
  const found = availabilityIn({ KUBEBUILDER_ASSETS: folder, PATH: '' }, true)
  assert.deepEqual([found.source, found.node], ['assets', false])
})

test('a folder without the binaries is named, not passed over', () => {
  const found = availabilityIn({ KUBEBUILDER_ASSETS: '/nowhere', PATH: folder }, true)
  assert.equal(found.source, 'none')
  assert.match(found.missing[0]?.what ?? '', /etcd in `\/nowhere`/)
})

test('a kubeconfig that is not there is named, not passed over', () => {
  const environment = { JACKSTAY_TEST_KUBECONFIG: '/nowhere/config', PATH: folder }
  const { source, missing } = availabilityIn(environment, true)
  assert.equal(source, 'none')
  assert.match(missing[0]?.what ?? '', /`\/nowhere\/config`/)
})
