import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { connect } from './client.ts'
import { configFor, loadConfig } from './config.ts'
import { FakeApi, headersOf, ManualClock, status } from './fake-api.ts'

let folder: string
const signal = new AbortController().signal

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kube-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

function kubeconfig(
  parts: { user?: unknown; cluster?: Record<string, unknown>; rest?: Record<string, unknown> } = {},
): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u', namespace: 'ns' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:6443/', ...parts.cluster } }],
    users: [{ name: 'u', user: parts.user ?? { token: 'abc' } }],
    ...parts.rest,
  })
}

const load = (text: string, context?: string) =>
  loadConfig({ kubeconfig: write('config', text), ...(context && { context }) })

describe('loading', () => {
  it('reads server, context, namespace and token', async () => {
    const config = load(kubeconfig())
    assert.equal(config.server.href, 'https://127.0.0.1:6443/')
    assert.equal(config.context, 'here')
    assert.equal(config.namespace, 'ns')
    assert.deepEqual((await config.credentials(signal)).headers, { Authorization: 'Bearer abc' })
  })

  it('takes the context asked for', () => {
    const contexts = [{ name: 'other', context: { cluster: 'c', user: 'u' } }]
    const config = load(kubeconfig({ rest: { contexts } }), 'other')
    assert.deepEqual([config.context, config.namespace], ['other', 'default'])
  })

  it('finds the file by KUBECONFIG, then by home, merging and skipping missing ones', () => {
    const file = write('config', kubeconfig())
    assert.equal(loadConfig({}, { KUBECONFIG: `${folder}/none:${file}` }).source, file)
    assert.throws(() => loadConfig({}, { HOME: folder }), {
      code: 'invalid_config',
      message: `no kubeconfig found at \`${folder}/.kube/config\`; pass --kubeconfig or set KUBECONFIG`,
    })
    assert.throws(() => loadConfig({ inCluster: true }, {}), {
      code: 'invalid_config',
      message: /not inside a cluster/,
    })
  })

  it('carries client certificates and the authority', async () => {
    const base64 = (text: string) => Buffer.from(text).toString('base64')
    write('key.pem', 'KEY')
    const config = load(
      kubeconfig({
        user: { 'client-certificate-data': base64('CERT'), 'client-key': 'key.pem' },
        cluster: { 'certificate-authority-data': base64('CA'), 'tls-server-name': 'kube' },
      }),
    )
    const { tls } = await config.credentials(signal)
    assert.deepEqual([tls.ca, tls.cert, tls.key].map(String), ['CA', 'CERT', 'KEY'])
    assert.equal(tls.servername, 'kube')
  })
})

describe('errors name the file and what to do', () => {
  const cases: [string, string, RegExp][] = [
    ['not YAML', 'a: [', /`FILE` is not YAML: .*; correct it$/],
    ['empty', '', /`FILE` (is not YAML|has no clusters)/],
    [
      'another document',
      'hello: world',
      /`FILE` has no clusters and contexts; write one with `kubectl config`$/,
    ],
    [
      'no server',
      kubeconfig({ cluster: { server: undefined } }),
      /`FILE` cannot be used: clusters\[0\].cluster.server is missing; correct it$/,
    ],
    [
      'no current context',
      kubeconfig({ rest: { 'current-context': '' } }),
      /`FILE` has no current-context; set it or pass --context$/,
    ],
    [
      'unknown context',
      kubeconfig({ rest: { 'current-context': 'x' } }),
      /`FILE` has no context `x`; use one of: here$/,
    ],
    [
      'unknown cluster',
      kubeconfig({ rest: { clusters: [] } }),
      /`FILE` has no cluster `c`, named by context `here`; add it$/,
    ],
    [
      'unknown user',
      kubeconfig({ rest: { users: [] } }),
      /`FILE` has no user `u`, named by context `here`; add it$/,
    ],
    [
      'plain http',
      kubeconfig({ cluster: { server: 'http://example.test' } }),
      /`http:\/\/example.test` in `FILE` is plain HTTP beyond loopback; use https$/,
    ],
    [
      'groups of nobody',
      kubeconfig({ user: { 'as-groups': ['g'] } }),
      /user `u` in `FILE` impersonates groups and nobody; add `as`$/,
    ],
    [
      'groups that are none',
      kubeconfig({ user: { as: 'x', 'as-groups': 'g' } }),
      /`user.as-groups` of user `u` in `FILE` has the wrong form; correct it$/,
    ],
    [
      'socks',
      kubeconfig({ cluster: { 'proxy-url': 'socks5://127.0.0.1:1' } }),
      /the proxy-url `socks5:\/\/127.0.0.1:1` is not supported/,
    ],
  ]
  for (const [name, text, message] of cases) {
    it(name, () => {
      const expected = new RegExp(message.source.replace('FILE', join(folder, 'config')))
      assert.throws(() => load(text), { code: 'invalid_config', message: expected })
    })
  }

  it('missing file', () => {
    assert.throws(() => loadConfig({ kubeconfig: join(folder, 'none') }), {
      code: 'invalid_config',
      message: /none` does not exist; pass --kubeconfig or set KUBECONFIG$/,
    })
  })

  it('missing token file and certificate', async () => {
    await assert.rejects(load(kubeconfig({ user: { tokenFile: 'none' } })).credentials(signal), {
      code: 'invalid_config',
      message: /the token file `.*none` cannot be read/,
    })
    await assert.rejects(
      load(kubeconfig({ user: { 'client-certificate': 'none' } })).credentials(signal),
      { code: 'invalid_config', message: /none/ },
    )
  })
})

describe('token file', () => {
  it('is trimmed, wins over token, and is read again when it changes', async () => {
    const clock = new ManualClock()
    write('token', 'one\n')
    const file = write('config', kubeconfig({ user: { token: 'static', tokenFile: 'token' } }))
    const config = loadConfig({ kubeconfig: file }, {}, clock)
    const header = async () => (await config.credentials(signal)).headers.Authorization
    assert.equal(await header(), 'Bearer one')
    write('next', 'two\n')
    renameSync(join(folder, 'next'), join(folder, 'token'))
    clock.advance(1_001)
    assert.equal(await header(), 'Bearer two')
  })

  it('is read again after 60 s and after a 401 even if it looks the same', async () => {
    const clock = new ManualClock()
    const token = write('token', 'one')
    utimesSync(token, 1_000, 1_000)
    const file = write('config', kubeconfig({ user: { tokenFile: 'token' } }))
    const config = loadConfig({ kubeconfig: file }, {}, clock)
    const header = async () => (await config.credentials(signal)).headers.Authorization
    const rewrite = (text: string) => {
      writeFileSync(token, text)
      utimesSync(token, 1_000, 1_000)
    }
    assert.equal(await header(), 'Bearer one')
    rewrite('two')
    clock.advance(1_001)
    assert.equal(await header(), 'Bearer one')
    clock.advance(60_000)
    assert.equal(await header(), 'Bearer two')
    rewrite('six')
    config.invalidate()
    assert.equal(await header(), 'Bearer six')
  })

  it('a 401 reads it again, and a read is repeated with it', async (t) => {
    const api = await FakeApi.start()
    t.after(() => api.stop())
    const token = write('token', 'old')
    const file = write(
      'config',
      kubeconfig({
        user: { tokenFile: 'token' },
        cluster: { server: `http://127.0.0.1:${api.port}` },
      }),
    )
    const client = connect(loadConfig({ kubeconfig: file }), { userAgent: 'test/1' })
    api.clients.push(client)
    api.script.push((_request, response) => {
      writeFileSync(token, 'new')
      status(401, 'Unauthorized')(_request, response)
    })
    await client.list({ apiVersion: 'v1', resource: 'pods' })
    assert.deepEqual(
      api.requests.map((seen) => headersOf(seen, 'authorization')),
      [['Bearer old'], ['Bearer new']],
    )
  })
})

describe('credential plugin', () => {
  const plugin = (script: string) =>
    kubeconfig({
      user: {
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: '/bin/sh',
          args: ['-c', script],
        },
      },
    })

  it('runs once for requests at the same time', async () => {
    const config = load(
      plugin(
        `echo run >> ${folder}/runs; echo '{"status":{"token":"t-'$(wc -l < ${folder}/runs | tr -d ' ')'"}}'`,
      ),
    )
    const all = await Promise.all([1, 2, 3].map(() => config.credentials(signal)))
    assert.deepEqual(
      all.map(({ headers }) => headers.Authorization),
      ['Bearer t-1', 'Bearer t-1', 'Bearer t-1'],
    )
    config.invalidate()
    assert.equal((await config.credentials(signal)).headers.Authorization, 'Bearer t-2')
  })

  it('that fails or hangs is named', async () => {
    await assert.rejects(load(plugin('echo nope >&2; exit 1')).credentials(signal), {
      code: 'upstream_unavailable',
      message: 'the credential plugin `/bin/sh` failed: nope; run it by hand',
    })
    const abort = new AbortController()
    const pending = assert.rejects(load(plugin('exec sleep 1')).credentials(abort.signal), {
      code: 'upstream_unavailable',
      message: /no credentials before the deadline/,
    })
    abort.abort()
    await pending
  })
})

it('a kubeconfig says whom it impersonates, with groups, uid and extras', async () => {
  const user = {
    ...{ token: 'abc', as: 'jane', 'as-groups': ['g1', 'g2'], 'as-uid': 'u1' },
    'as-user-extra': { 'example.test/team': ['a', 'b'] },
  }
  const api = await FakeApi.start()
  const text = kubeconfig({ user, cluster: { server: `http://127.0.0.1:${api.port}` } })
  const client = connect(load(text), { userAgent: 'test/1' })
  await client.request({ method: 'GET', path: '/version' })
  const seen = api.requests.at(-1)
  assert.deepEqual(headersOf(seen, 'impersonate-user'), ['jane'])
  assert.deepEqual(headersOf(seen, 'impersonate-group'), ['g1', 'g2'])
  assert.deepEqual(headersOf(seen, 'impersonate-uid'), ['u1'])
  assert.deepEqual(headersOf(seen, 'impersonate-extra-example.test%2fteam'), ['a', 'b'])
  await client.close()
  await api.stop()
})

it('a kubeconfig that impersonates cannot be impersonated with again', () => {
  const client = connect(load(kubeconfig({ user: { token: 'abc', as: 'jane' } })), {
    userAgent: 'test/1',
  })
  assert.throws(() => client.as({ username: 'x' }), {
    code: 'invalid_config',
    message: /impersonates already/,
  })
})

it('configFor refuses plain HTTP beyond loopback', () => {
  assert.throws(() => configFor('http://10.0.0.1:8080', { token: 't' }), { code: 'invalid_config' })
  assert.equal(configFor('http://127.0.0.1:8080').server.port, '8080')
})
