import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { until } from './attempt.ts'
import { differences } from './kubectl-differences.ts'
import { kindLines } from './kubectl-kinds.ts'
import { lines, namespace } from './kubectl-lines.ts'
import { declared, workloads } from './kubectl-living.ts'
import { fieldsIn } from './kubectl-schemas.ts'
import { Kubectl, LabServer, Twins, type } from './kubectl-twins.ts'
import { verbLines } from './kubectl-verbs.ts'
import { realServer } from './two-servers.ts'
import { noCluster } from './world.ts'

const all = [...lines, ...kindLines, ...verbLines]

/** The same kubectl says the same at the lab and at a real API server. */
describe('kubectl at the lab', { skip: await noCluster() }, () => {
  const server = new LabServer()
  let real: Kubectl
  let lab: Kubectl
  before(async () => {
    const { cluster } = await realServer()
    const cache = join(cluster.directory, 'kubectl')
    real = new Kubectl(cluster.kubectl, cluster.kubeconfig, cache, namespace)
    lab = await server.start(cluster.kubectl, [], namespace)
    for (const one of [real, lab]) {
      const { code, stderr } = await one.run(type(`create namespace ${namespace}`))
      assert.equal(code, 0, stderr)
    }
  })
  after(async () => {
    await real.run(type(`delete namespace ${namespace} --wait=false`))
    await server.stop()
    assert.deepEqual(server.errors, [])
  })

  for (const line of all) {
    it(`kubectl ${line.text}`, () => new Twins(real, lab, differences).take(line))
  }

  it('knows the fields of its kinds as a real server does', async () => {
    const raw = async (one: Kubectl, path: string) => {
      const { code, stdout, stderr } = await one.run(type(`get --raw ${path}`))
      assert.equal(code, 0, stderr)
      return stdout
    }
    const { paths } = JSON.parse(await raw(lab, '/openapi/v3')) as { paths: object }
    const own = Object.keys(paths).filter((path) => !path.includes('.example/'))
    assert.ok(own.includes('apis/apps/v1'))
    for (const path of own) {
      const [theirs, ours] = await Promise.all(
        [real, lab].map(async (one) => fieldsIn(await raw(one, `/openapi/v3/${path}`))),
      )
      for (const [name, fields] of ours ?? []) assert.deepEqual(fields, theirs?.get(name), name)
    }
  })

  it('has no difference listed that no line shows', () => {
    const texts = new Set(all.map(({ text }) => text))
    const unseen = Object.keys(differences).filter((text) => !texts.has(text))
    assert.deepEqual(unseen, [])
  })
})

/** What needs nodes that live: the lab alone, and what the real kubectl shows of it. */
describe('kubectl at a lab that lives', { skip: await noCluster() }, () => {
  const server = new LabServer()
  let lab: Kubectl
  before(async () => {
    const { cluster } = await realServer()
    lab = await server.start(cluster.kubectl, ['node-1', 'node-2'], 'default')
    await said('create namespace jackstay-lab')
    await said('apply -n jackstay-lab -f -', declared)
    await said('apply -f -', workloads)
  })
  after(async () => {
    await server.stop()
    assert.deepEqual(server.errors, [])
  })

  const said = async (text: string, stdin?: string): Promise<string> => {
    const { code, stdout, stderr } = await lab.run(type(text, stdin))
    assert.equal(code, 0, `kubectl ${text}: ${stderr}`)
    return stdout
  }
  const refused = async (text: string, why: RegExp) => {
    const { code, stderr } = await lab.run(type(text))
    assert.notEqual(code, 0, `kubectl ${text}`)
    assert.match(stderr, why)
  }
  const shows = (text: string, ...wanted: readonly RegExp[]) =>
    until(`kubectl ${text}`, async () => {
      const { stdout } = await lab.run(type(text))
      return wanted.every((one) => one.test(stdout))
    })

  it('rolls a Deployment out, back and again, and tells its events', async () => {
    assert.match(await said('rollout status deploy/web --timeout=60s'), /successfully rolled out/)
    await said('set image deploy/web web=web:2')
    assert.match(await said('rollout status deploy/web --timeout=60s'), /successfully rolled out/)
    await said('rollout undo deploy/web')
    await said('rollout status deploy/web --timeout=60s')
    await said('rollout restart deploy/web')
    await said('rollout status deploy/web --timeout=60s')
    assert.match(await said('rollout history deploy/web'), /2 .*\n3 .*\n4 /)
    await shows('describe deploy web', /Scaled up replica set web-\w+ from 0 to 2/)
    // of several at once kubectl shows no events
    await shows('describe pod -l app=deaf', /default-scheduler +Successfully assigned/, /Started/)
  })

  it('shows what containers said', async () => {
    await until('the container has started', async () => {
      return /serving on port 8080/.test((await lab.run(type('logs deploy/web'))).stdout)
    })
    const [first] = (await said('logs deploy/web --timestamps --tail=1')).split('\n')
    assert.match(first ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z \S/)
    await shows('logs deploy/crashes', /error: no database/, /exiting with code 3/)
    await shows('logs deploy/crashes --previous', /error: no database/)
    await refused('logs deploy/web --previous', /previous terminated container "web" in pod/)
    await refused('logs deploy/web -c none', /container none is not valid for pod web-/)
    await refused('logs deploy/nowhere', /waiting to start: (trying and failing|ContainerCreating)/)
  })

  it('shows what went wrong, in words that people look for', async () => {
    await shows('get pods', /crashes-\S+ +0\/1 +CrashLoopBackOff/, /nowhere-\S+ .*(Err)?ImagePull/)
    await shows('get events', /Warning +BackOff +pod\/crashes-\S+ +Back-off restarting failed/)
    await shows('get events', /Warning +Failed +pod\/nowhere-\S+ +Failed to pull image "nowhere:1"/)
    await shows(
      'get events',
      /Warning +Failed +pod\/keyless-\S+ +Error: configmap "none" not found/,
    )
    await shows('get events', /Warning +FailedScheduling +pod\/big-\S+ +0\/2 nodes are available/)
    await shows('get events', /Warning +Unhealthy +pod\/deaf-\S+ +Readiness probe failed/)
    await shows('describe pod -l app=hungry', /OOMKilled/, /Exit Code: +137/)
    await shows('events --types=Warning', /BackOff/)
  })

  it('closes, empties and opens a node', async () => {
    await said('cordon node-1')
    assert.match(await said('get nodes'), /node-1 +Ready,SchedulingDisabled/)
    await said('drain node-1 --ignore-daemonsets --delete-emptydir-data --timeout=60s')
    await shows('get pods -o wide -l app=web', /node-2/)
    await said('uncordon node-1')
    assert.match(await said('describe node node-1'), /Unschedulable: +false/)
  })

  it('says that it is the lab where it serves nothing', async () => {
    await refused('exec deploy/web -- ls', /Jackstay lab.*does not serve `pods\/exec`/)
    await refused('attach deploy/web', /Jackstay lab.*does not serve `pods\/attach`/)
    await refused('port-forward deploy/web 8080', /Jackstay lab.*`pods\/portforward`/)
    await refused('get --raw /apis/metrics.k8s.io/v1beta1/pods', /NotImplemented.*Jackstay lab/)
    await refused('get --raw /metrics', /NotImplemented.*Jackstay lab/)
    await refused('top pods', /Metrics API not available/)
    assert.match(await said('version'), /Server Version: v1\.37\.2-jackstay-lab/)
  })

  it('watches until what it waits for is there', async () => {
    const watching = lab.run(type('get configmap seen --watch --request-timeout=3s'))
    await said('create configmap seen')
    assert.match((await watching).stdout + (await said('get cm seen')), /seen +0/)
    await said('wait --for=condition=Ready pod -l app=web --timeout=60s')
    await said('delete deploy --all --timeout=60s')
    await said('wait --for=delete pod --all --timeout=60s')
  })
})
