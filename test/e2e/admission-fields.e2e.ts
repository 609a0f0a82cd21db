import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { KubeClient } from '@jackstay/kube/client'
import { attempt, passed, refusedBy, until } from './attempt.ts'
import { chartPolicies } from './chart.ts'
import { apply, type Governed, governed, suffix } from './governed.ts'
import { noCluster, type World, world } from './world.ts'

const fields = 'jackstay-executor-fields-workload-scale-deployments'
const admission = '/apis/admissionregistration.k8s.io/v1'

/*
 * The policy on an executor's fields names each field that Kubernetes has today, so that a refusal says
 * which it was, and ends with two rules about all others. Alone they have to hold every field: that is
 * what a field of tomorrow meets.
 */
describe('the general rules of executors’ fields, without the named ones', {
  skip: await noCluster(),
}, () => {
  let w: World
  let g: Governed
  let somebody: KubeClient
  const name = `e2e-general-${suffix()}`
  before(async () => {
    w = await world()
    g = await governed(w)
    somebody = w.admin.as({ username: name, groups: ['system:masters'] })
    const found = (await chartPolicies()).find(({ policy }) => policy.metadata.name === fields)
    assert.ok(found)
    const { apiVersion, kind, spec } = found.policy
    const validations = spec.validations.filter(({ message }) =>
      /no other field/.test(`${message}`),
    )
    assert.equal(validations.length, 2)
    const expression = `request.userInfo.username == '${name}'`
    const matchConditions = [{ name: 'somebody', expression }]
    const [binding] = found.bindings
    const bound = { ...binding, metadata: { name }, spec: { ...binding?.spec, policyName: name } }
    await apply(w, [
      { apiVersion, kind, metadata: { name }, spec: { ...spec, matchConditions, validations } },
      bound,
    ])
    await until('they bite', async () => (await write({ spec: { paused: true } })).status >= 400)
  })
  after(async () => {
    for (const plural of ['validatingadmissionpolicybindings', 'validatingadmissionpolicies']) {
      if (w !== undefined) await attempt(w.admin, 'DELETE', `${admission}/${plural}/${name}`)
    }
  })

  const write = (body: Readonly<Record<string, unknown>>) =>
    g.patch(body, { as: somebody, dryRun: true })

  it('let the action’s own field change', async () => {
    passed(await write({ spec: { replicas: 7 } }))
  })

  it('hold all others, whether changed, added or taken away', async () => {
    for (const body of [
      { spec: { paused: true } },
      { spec: { minReadySeconds: 5 } },
      { spec: { strategy: { type: 'Recreate', rollingUpdate: null } } },
      { spec: { template: { spec: { hostPID: true } } } },
      { spec: { replicas: 7, revisionHistoryLimit: 1 } },
      { metadata: { labels: { added: 'yes' } } },
      { metadata: { labels: null } },
      { metadata: { annotations: null } },
      { metadata: { finalizers: ['example.org/stuck'] } },
    ]) {
      const answer = await write(body)
      assert.doesNotThrow(() => refusedBy(name, answer), JSON.stringify(body))
    }
  })
})
