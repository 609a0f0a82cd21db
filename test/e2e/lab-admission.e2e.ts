import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { KubeClient } from '@jackstay/kube/client'
import { asObject, isRecord, type KubeObject } from '@jackstay/kube/resources'
import { decide } from '@jackstay/lab/kubernetes/admission/decide'
import { bindPolicies, compilePolicies } from '@jackstay/lab/kubernetes/admission/policies'
import type { AdmissionRequest } from '@jackstay/lab/kubernetes/admission/request'
import type { User } from '@jackstay/lab/kubernetes/objects'
import { type Attacks, attacksOn } from './attacks.ts'
import { attempt, until } from './attempt.ts'
import { chartPolicies } from './chart.ts'
import { type Governed, governed } from './governed.ts'
import { shadowed, type Twice } from './lab-shadow.ts'
import { noCluster, type World, world } from './world.ts'

const policies = await chartPolicies()
const admission = '/apis/admissionregistration.k8s.io/v1'
const bindings = `${admission}/validatingadmissionpolicybindings`

async function listed(client: KubeClient, path: string): Promise<KubeObject[]> {
  const { body } = await attempt(client, 'GET', path)
  assert.ok(isRecord(body) && Array.isArray(body.items), path)
  return body.items.map(asObject)
}

/*
 * The real API server and the lab's admission are asked the same: every attack that a policy of the chart
 * alone stops, and writes that all let pass.
 */
describe('the lab’s admission and the API server', { skip: await noCluster() }, () => {
  let w: World
  let g: Governed
  let attacks: Attacks
  let last: Twice | undefined

  before(async () => {
    const real = await world()
    const compiled = compilePolicies(
      await listed(real.admin, `${admission}/validatingadmissionpolicies`),
    )
    const judge = async (request: AdmissionRequest) => {
      const [namespaces, suspensions, bound] = await Promise.all([
        listed(real.admin, '/api/v1/namespaces'),
        listed(real.admin, '/apis/jackstay.dev/v1alpha1/suspensions'),
        listed(real.admin, bindings),
      ])
      const kinds: Readonly<Record<string, readonly KubeObject[]>> = {
        ...{ Namespace: namespaces, Suspension: suspensions },
        ValidatingAdmissionPolicyBinding: bound,
      }
      return decide(bindPolicies(compiled, bound), request, {
        namespace: (name) => namespaces.find(({ metadata }) => metadata.name === name),
        objects: (_, kind) => {
          const all = kinds[kind]
          return all && { namespaced: false, all }
        },
      })
    }
    const told = (twice: Twice) => {
      last = twice
    }
    const shadow = (client: KubeClient, user: User) =>
      shadowed(client, { user, judge, told }, real.admin)
    const admin = shadow(real.admin, await whoIs(real.admin))
    w = {
      ...real,
      admin,
      executor: (name, extra) =>
        admin.as({ username: `system:serviceaccount:jackstay-executors:${name}`, extra }),
    }
    g = await governed(w)
    attacks = await attacksOn(w, g)
  })
  after(async () => await attacks?.cleared())

  for (const { policy } of policies) {
    const name = policy.metadata.name
    it(`refuse alike what is for ${name}`, async () => {
      const attack = attacks.of(name)
      assert.ok(attack)
      const prepared = await attack.prepared?.()
      try {
        await until(`${name} refuses`, async () => {
          const { message } = await attack.attempt()
          return message.includes(`'${name}'`)
        })
        alike(last)
      } finally {
        await prepared?.()
      }
    })
  }
})

function alike(twice: Twice | undefined): void {
  assert.ok(twice)
  const { real, lab } = twice
  assert.ok(isRecord(real.body))
  assert.deepEqual(lab.refusal, {
    code: real.status,
    reason: real.body.reason,
    message: real.body.message,
    details: real.body.details,
  })
}

async function whoIs(client: KubeClient): Promise<User> {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
  const { body } = await attempt(client, 'POST', path, review)
  const { status } = Object(body)
  const { username, groups, extra = {} } = status.userInfo
  return { username, groups, extra }
}
