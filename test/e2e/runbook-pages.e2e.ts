import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { intentView } from '@jackstay/contract/api'
import { calmBreakers } from '@jackstay/lab/calm-breakers'
import { jackstay } from './cli-desk.ts'
import { type Shell, sectionsOf, shell } from './command-pages.ts'
import { apply, suffix } from './governed.ts'
import { type LineWorld, lineWorld, noLine, oncall, phaseOf, type Tenant } from './line-world.ts'
import { type SlowLink, slowLink } from './slow-link.ts'
import { noSmallDisk, smallDisk } from './small-disk.ts'
import { code } from './test-agent.ts'
import { world } from './world.ts'

const done = 'verified/succeeded'
const rbac = 'rbac.authorization.k8s.io'
const folder = new URL('../../runbooks/', import.meta.url)
const headings = ['When', 'What holds by itself', 'Do', 'See that it worked', 'Go back']

/** By heading: what happens, or has to be seen, once that section was typed. */
type After = Readonly<Record<string, (typed: string) => Promise<void>>>

describe('the pages of runbooks/', { skip: await noLine() }, () => {
  let w: LineWorld
  let link: SlowLink
  let tenant: Tenant
  let other: Tenant
  let desk: Shell
  let settings: string
  let env: Record<string, string>
  const walked = new Set<string>()
  before(async () => {
    link = await slowLink((await world()).cluster.server)
    settings = await mkdtemp(join(tmpdir(), 'jackstay-runbooks-'))
    // every page has agents refused on purpose
    w = await lineWorld({ link, mediatorFlags: ['--breakers', await calmBreakers(settings)] })
    tenant = await w.tenant({ rules: freely })
    other = await w.tenant({ rules: freely })
    const kubeconfig = await responder()
    const at = { kubeconfig, server: w.plane.mediatorUrl }
    desk = await shell(w.cluster.kubectl, (line) => jackstay(line, at))
    env = {
      ...{ KUBECONFIG: kubeconfig, USER: 'sasha' },
      ...{ JACKSTAY_SERVER: w.plane.mediatorUrl, JACKSTAY_REGISTRAR: w.plane.registrarUrl },
      ...{ AGENT: `${tenant.namespace}/agent`, CLASS: tenant.class, NAMESPACE: tenant.targets },
    }
  })
  /** Whatever failed: nothing stays stopped or slow. */
  const release = async () => {
    link.holdFor(0)
    await w.kubectl(['label', 'namespace', 'jackstay-system', 'jackstay.dev/suspended-'])
    await w.kubectl(['delete', 'suspensions', '--all'])
  }
  afterEach(release)
  after(async () => {
    await w?.close()
    await desk?.close()
    link?.close()
    await rm(settings, { recursive: true, force: true })
  })

  /** Somebody on call, whose way to the API server is the programs' own. */
  async function responder(): Promise<string> {
    const group = `people-${suffix()}`
    const bind = (name: string, to: object) => ({
      ...{ apiVersion: `${rbac}/v1`, roleRef: { apiGroup: rbac, kind: 'ClusterRole', name } },
      subjects: [{ apiGroup: rbac, kind: 'Group', name: group }],
      ...to,
    })
    const roles = ['jackstay-view', 'jackstay-approver', 'jackstay-responder']
    await apply(w, [
      ...roles.map((name) =>
        bind(name, { kind: 'ClusterRoleBinding', metadata: { name: `${group}-${name}` } }),
      ),
      bind('edit', {
        kind: 'RoleBinding',
        metadata: { name: group, namespace: tenant.targets },
      }),
    ])
    const { kubeconfig } = await w.person('sasha@example.com', [group, oncall])
    await link.lead(kubeconfig)
    return kubeconfig
  }

  /** Types a page from top to bottom. */
  async function walk(page: string, then: After, more: Record<string, string> = {}) {
    const sections = await sectionsOf(new URL(`${page}.md`, folder))
    const found = sections.map(({ heading }) => heading)
    assert.deepEqual(
      found.filter((heading) => headings.includes(heading)),
      headings,
    )
    for (const heading of Object.keys(then)) assert.ok(found.includes(heading), heading)
    for (const { heading, blocks } of sections) {
      let typed = ''
      for (const block of blocks) typed += await desk.run(block, { ...env, ...more })
      await then[heading]?.(typed)
    }
    walked.add(`${page}.md`)
  }

  const scale = async (who: Tenant, name: string, replicas: number) =>
    phaseOf(await who.agent.scale(replicas, { namespace: who.targets, name }))
  const goes = async (who: Tenant, name: string) => {
    await w.deployment(who, name, 2)
    assert.equal(await scale(who, name, 0), done)
    assert.equal(await w.replicas(who, name), 0)
  }
  /** The mediator refuses, and were it mad the API server would. */
  const stopped = async (name: string) => {
    await w.deployment(tenant, name, 2)
    await w.until(async () => !(await executorWrites(name)), 'the API server refuses')
    assert.equal(await scale(tenant, name, 0), 'refused/suspended')
    assert.equal(await w.replicas(tenant, name), 2)
  }
  async function executorWrites(name: string): Promise<boolean> {
    const executor = w.executor(tenant.class, {
      'jackstay.dev/intent': ['019a0000-0000-7000-8000-000000000001'],
      'jackstay.dev/agent': [`${tenant.namespace}/agent`],
      'jackstay.dev/action': ['workload.scale'],
    })
    const ref = { apiVersion: 'apps/v1', resource: 'deployments', namespace: tenant.targets, name }
    const { uid = '', resourceVersion = '' } = (await w.admin.get(ref)).metadata
    const options = { preconditions: { uid, resourceVersion }, dryRun: true }
    return (await executor.mergePatch(ref, { spec: { replicas: 1 } }, options)).kind === 'applied'
  }
  /** Resumed: the API server lets the executor write, and the line goes through. */
  const free = async (name: string) => {
    await w.deployment(tenant, name, 2)
    await w.until(() => executorWrites(name), 'the executor writes again')
    await w.until(
      async () => (await scale(tenant, name, 0)) === done,
      'the mediator has seen it too',
    )
  }

  it('disable one agent: it is refused, another goes on (T73)', async () => {
    await walk('disable-one-agent', {
      'See that it worked': async (typed) => {
        assert.match(typed, /suspended/)
        await stopped('disabled')
        await goes(other, 'not-disabled')
      },
      'Go back': () => free('disabled'),
    })
  })

  it('isolate: a class and a namespace stand still, others go on (T73)', async () => {
    await walk('isolate', {
      'See that it worked': async () => {
        await stopped('isolated')
        await goes(other, 'not-isolated')
      },
      'Go back': () => free('isolated'),
    })
  })

  it('stop everything: no executor writes anywhere (T73)', async () => {
    await walk('stop-everything', {
      'See that it worked': () => stopped('stopped'),
      'Go back': () => free('stopped'),
    })
  })

  it('override by hand: the person writes, the agent does not, and what waited is over (T73)', async () => {
    const asking = await w.tenant()
    await w.deployment(asking, 'web', 2)
    const view = await asking.agent.scale(0, { namespace: asking.targets, name: 'web' })
    assert.equal(phaseOf(view), 'approve')
    const { id } = view.summary
    await grantEdit(asking.targets)
    const more = { NAMESPACE: asking.targets, INTENT: id }
    const held = {
      'See that it worked': async () => {
        assert.equal(await w.replicas(asking, 'web'), 3)
        assert.match(phaseOf(await asking.agent.follow(id)), /^(rejected|obsolete|refused)/)
        assert.equal(await scale(asking, 'web', 0), 'refused/suspended')
      },
      'Go back': async () =>
        await w.until(
          async () => (await scale(asking, 'web', 1)) === 'approve',
          'agents may ask again',
        ),
    }
    await walk('override-by-hand', held, more)
    assert.equal(await w.replicas(asking, 'web'), 3)
  })

  async function grantEdit(namespace: string) {
    await apply(w, [
      {
        ...{ apiVersion: `${rbac}/v1`, kind: 'RoleBinding' },
        metadata: { name: 'by-hand', namespace },
        roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'edit' },
        subjects: [{ apiGroup: rbac, kind: 'User', name: 'sasha@example.com' }],
      },
    ])
  }

  it('mediator down: stops are set without it, and bite as it comes back (T73)', async () => {
    await w.deployment(tenant, 'away', 2)
    await w.plane.mediator.kill()
    await walk('mediator-down', {
      Do: async () => {
        await w.until(async () => !(await executorWrites('away')), 'stopped without the mediator')
        await w.plane.mediator.start()
      },
      'See that it worked': () => stopped('away'),
      'Go back': () => free('away'),
    })
  })

  it('disk full: room alone mends it (T70)', { skip: noSmallDisk() }, async (t) => {
    await w.plane.mediator.stop()
    const disk = await smallDisk(w.plane.dataDirectory)
    t.after(async () => {
      await w.plane.mediator.stop()
      await disk[Symbol.asyncDispose]()
      await w.plane.mediator.start()
    })
    await w.plane.mediator.start()
    await disk.fill()
    const target = { namespace: tenant.targets, name: 'crowded' }
    await w.deployment(tenant, 'crowded', 2)
    const refused = async () => {
      const answer = await tenant.agent.submit(await tenant.agent.submission(0, target))
      return code(answer) === '503 not_ready'
    }
    await w.until(refused, 'the ledger is full')
    const told = async () => !(await fetch(`${w.plane.mediatorUrl}/readyz`)).ok
    await w.until(told, 'the mediator says so')
    await walk(
      'disk-full',
      {
        Do: async (typed) => {
          assert.match(typed, /the disk of the ledger is full/)
          assert.match(typed, /ledger\/others/)
          await disk.makeRoom()
        },
        'See that it worked': () => goes(tenant, 'roomy'),
      },
      { DATA: w.plane.dataDirectory },
    )
  })

  it('registrar down: who is enrolled goes on, who is not waits for it', async () => {
    await w.plane.registrar.kill()
    const late = await w.newAgent(tenant)
    await walk('registrar-down', {
      Do: async () => {
        await goes(tenant, 'unregistered')
        await assert.rejects(late.enrol(), TypeError)
        await w.plane.registrar.start()
      },
      'See that it worked': async () => {
        assert.equal((await late.enrol()).status, 200)
      },
    })
  })

  it('API server slow: stops get through, and a slow write has one effect', async () => {
    await w.deployment(tenant, 'slow', 2)
    const before = await generation('slow')
    link.holdFor(100)
    await walk('api-server-slow', {
      'What holds by itself': async () => {
        // the answer may outlast what the agent waits for; what became of it is in its history
        const { summary } = await tenant.agent.scale(0, {
          namespace: tenant.targets,
          name: 'slow',
        })
        assert.equal(phaseOf(await tenant.agent.follow(summary.id, 60)), done)
        assert.equal(await generation('slow'), before + 1)
      },
      'See that it worked': async (typed) => {
        assert.match(typed, /jackstay\.dev\/suspended=/)
        await w.until(async () => !(await executorWrites('slow')), 'the API server refuses')
        link.holdFor(0)
      },
      'Go back': () => free('slow'),
    })
  })

  async function generation(name: string): Promise<number> {
    const path = ['-n', tenant.targets, 'get', 'deployment', name]
    return Number((await w.kubectl([...path, '-o', 'jsonpath={.metadata.generation}'])).stdout)
  }

  it('recover the ledger: the disk is lost, another log commits to the old one', async () => {
    const data = w.plane.dataDirectory
    const paths = { DATA: data, BACKUP: join(desk.folder, 'b'), KEPT: join(desk.folder, 'kept') }
    await goes(tenant, 'saved')
    const noted = async () => {
      // after the backup, before the disk is gone: what a backup lacks
      await goes(tenant, 'unsaved')
      await rm(paths.KEPT, { recursive: true })
      const at = { kubeconfig: env.KUBECONFIG ?? '', server: w.plane.mediatorUrl }
      const said = await jackstay(['ledger', 'export', '--data', data, '--out', paths.KEPT], at)
      assert.equal(said.exit, 0, said.err)
      await w.plane.mediator.kill()
      await rm(data, { recursive: true })
    }
    await walk(
      'recover-the-ledger',
      {
        'What has to be there before': noted,
        Do: () => w.plane.mediator.start(),
        'See that it worked': async () => {
          await w.deployment(tenant, 'recovered', 2)
          const target = { namespace: tenant.targets, name: 'recovered' }
          // an intent that the log before might have had is refused for some seconds
          await w.until(async () => {
            const body = await tenant.agent.submission(0, target)
            const answer = await tenant.agent.submit(body, 30)
            if (answer.status === 202) return phaseOf(intentView.parse(answer.body)) === done
            assert.equal(code(answer), '401 not_fresh')
            return false
          }, 'agents are served again')
        },
      },
      paths,
    )
  })

  it('every page was typed, and the list names each', async () => {
    const unseen = noSmallDisk() === false ? ['README.md'] : ['README.md', 'disk-full.md']
    const pages = (await readdir(folder)).filter((name) => !unseen.includes(name))
    assert.deepEqual([...walked].toSorted(), pages.toSorted())
  })
})

/** Whatever is asked goes through, so that a refusal is the stop's. */
const freely = [{ name: 'allow', allow: { when: 'true' } }]
