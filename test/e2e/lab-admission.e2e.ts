import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { kinds } from '@jackstay/contract/kinds/all'
import type { KubeClient } from '@jackstay/kube/client'
import { asObject, isRecord, type KubeObject } from '@jackstay/kube/resources'
import { decide } from '@jackstay/lab/kubernetes/admission/decide'
import { bindPolicies, compilePolicies } from '@jackstay/lab/kubernetes/admission/policies'
import type { AdmissionRequest } from '@jackstay/lab/kubernetes/admission/request'
import type { User } from '@jackstay/lab/kubernetes/objects'
import fc from 'fast-check'
import { type Attacks, attacksOn } from './attacks.ts'
import { attempt, passed, until } from './attempt.ts'
import { chartPolicies } from './chart.ts'
import { type Governed, governed, type Manifest, suffix } from './governed.ts'
import { type Judge, judgeOf, sameVerdict } from './lab-crds.ts'
import { data, expressionPolicies } from './lab-expressions.ts'
import { sampleCrd, sampleSpecs, sampleUpdates } from './lab-sample.ts'
import { shadowed, type Twice } from './lab-shadow.ts'
import { specsOf } from './random-specs.ts'
import { subjectOf } from './subjects.ts'
import { noCluster, type World, world } from './world.ts'

/** Of random specs per kind. */
const runs = 20

const policies = await chartPolicies()
// of the policies on executors' fields, which are alike, one for each resource
const asked = new Map(
  policies.map(({ policy }) => {
    const { name } = policy.metadata
    const [, resource] = /^jackstay-executor-fields-.*-([a-z]+)$/.exec(name) ?? []
    return [resource ?? name, name] as const
  }),
)
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

  for (const name of asked.values()) {
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

describe('the lab’s custom kinds and the API server', { skip: await noCluster() }, () => {
  let w: World
  let g: Governed
  before(async () => {
    w = await world()
    g = await governed(w)
  })

  for (const kind of kinds) {
    it(`say the same of random specs of ${kind.kind}`, async () => {
      const { client, path, of } = subjectOf(w, g, kind.kind)
      const judge = await judgeOf(w.admin, `${kind.plural}.jackstay.dev`)
      const same = fc.asyncProperty(specsOf(kind.kind), async (spec) => {
        const { metadata, ...rest } = of()
        const object = { ...rest, metadata, spec }
        sameVerdict(judge(object), await attempt(client, 'POST', path, object, { dryRun: true }))
      })
      await fc.assert(same, { numRuns: runs, endOnFailure: false })
    })
  }

  describe('of a kind with something of everything', () => {
    const group = `lab-${suffix()}.example.org`
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
    const path = `/apis/${group}/v1/samples`
    const sample = (spec: unknown): Manifest => ({
      ...{ apiVersion: `${group}/v1`, kind: 'Sample', metadata: { name: 'one' }, spec },
    })
    let judge: Judge
    before(async () => {
      passed(await attempt(w.admin, 'POST', definitions, sampleCrd(group)))
      await until('the kind is served', async () => {
        return (await attempt(w.admin, 'POST', path, sample({}), { dryRun: true })).status !== 404
      })
      judge = await judgeOf(w.admin, `samples.${group}`)
    })
    after(async () => {
      await attempt(w.admin, 'DELETE', `${definitions}/samples.${group}`)
    })

    for (const [name, spec] of sampleSpecs) {
      it(`prune, default and refuse alike: ${name}`, async () => {
        const object = sample(spec)
        sameVerdict(judge(object), await attempt(w.admin, 'POST', path, object, { dryRun: true }))
      })
    }

    for (const [name, old, spec] of sampleUpdates) {
      it(`judge changes alike: ${name}`, async () => {
        const made = await attempt(w.admin, 'POST', path, sample(old))
        passed(made)
        const at = `${path}/one`
        try {
          const stored = asObject(made.body)
          const object = { ...stored, spec }
          sameVerdict(
            judge(object, stored),
            await attempt(w.admin, 'PUT', at, object, { dryRun: true }),
          )
        } finally {
          passed(await attempt(w.admin, 'DELETE', at))
        }
      })
    }
  })
})

describe('the lab’s CEL and the API server’s', { skip: await noCluster() }, () => {
  const asked = expressionPolicies()
  let w: World
  before(async () => {
    w = await world()
    for (const { policy, binding } of asked) {
      passed(await attempt(w.admin, 'POST', `${admission}/validatingadmissionpolicies`, policy))
      passed(await attempt(w.admin, 'POST', bindings, binding))
    }
  })
  after(async () => {
    for (const { name } of asked) {
      if (w === undefined) return
      await attempt(w.admin, 'DELETE', `${bindings}/${name}`)
      await attempt(w.admin, 'DELETE', `${admission}/validatingadmissionpolicies/${name}`)
    }
  })

  it('give the same values and errors', async () => {
    const shadow = {
      user: await whoIs(w.admin),
      judge: async (request: AdmissionRequest) => {
        const own = asked.filter(({ name }) => name === request.name)
        const { body } = await attempt(w.admin, 'GET', '/api/v1/namespaces/default')
        const namespace = asObject(body)
        const policies = compilePolicies(own.map(({ policy }) => policy))
        const bound = bindPolicies(
          policies,
          own.map(({ binding }) => binding),
        )
        return decide(bound, request, { namespace: () => namespace, objects: () => undefined })
      },
    }
    for (const { name, expression } of asked) {
      let last: Twice | undefined
      const told = (twice: Twice) => {
        last = twice
      }
      const admin = shadowed(w.admin, { ...shadow, told })
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data }
      await until(`${expression} is refused`, async () => {
        const path = '/api/v1/namespaces/default/configmaps'
        return (await attempt(admin, 'POST', path, object, { dryRun: true })).status >= 400
      })
      alike(last)
    }
  })
})
