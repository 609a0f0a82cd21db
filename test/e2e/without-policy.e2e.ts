import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { attacksOn } from './attacks.ts'
import { type Answer, attempt, passed, refusedBy, until } from './attempt.ts'
import { chartPolicies } from './chart.ts'
import { apply, type Governed, governed } from './governed.ts'
import { noCluster, type World, world } from './world.ts'

const bindings = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings'
const policies = await chartPolicies()

describe('each policy of the chart stops an attack', { skip: await noCluster() }, () => {
  let w: World
  let g: Governed
  let attacks: Awaited<ReturnType<typeof attacksOn>>
  before(async () => {
    w = await world()
    g = await governed(w)
    attacks = await attacksOn(w, g)
  })
  after(async () => await attacks?.cleared())

  for (const { policy, bindings: bound } of policies) {
    const name = policy.metadata.name
    it(`that passes without it: ${name}`, async () => {
      const [binding] = bound
      assert.ok(binding && bound.length === 1, 'one binding makes it bite')
      assert.deepEqual(binding.spec.validationActions, ['Deny', 'Audit'])
      assert.equal(policy.spec.failurePolicy, 'Fail')
      const attack = attacks.of(name)
      assert.ok(attack, `test/e2e/attacks.ts knows no attack that ${name} alone stops`)
      const prepared = await attack.prepared?.()
      try {
        let last = await refusal(name, attack.attempt)
        passed(await attempt(w.admin, 'DELETE', `${bindings}/${binding.metadata.name}`))
        try {
          await until(`the attack passes without ${name}`, async () => {
            last = await attack.attempt()
            return last.status < 300
          }).catch((cause: unknown) => assert.fail(`${String(cause)}: ${last.message}`))
        } finally {
          await apply(w, [binding])
        }
        await refusal(name, attack.attempt)
      } finally {
        await prepared?.()
      }
    })
  }

  it('and no attack is left that no policy answers', () => {
    const known = policies.map(({ policy }) => policy.metadata.name)
    assert.deepEqual(attacks.names().toSorted(), known.toSorted())
  })

  it('a kind of ours is a parameter only of policies that do not match everything (T86)', () => {
    for (const { policy } of policies) {
      if (!policy.spec.paramKind?.apiVersion.startsWith('jackstay.dev/')) continue
      const resources = policy.spec.matchConstraints.resourceRules.flatMap((rule) => rule.resources)
      assert.ok(!resources.some((resource) => resource.includes('*')), policy.metadata.name)
    }
  })

  it('every refusal has a status that people and programs understand', () => {
    for (const { policy } of policies) {
      for (const { reason } of policy.spec.validations) {
        assert.match(reason, /^(Forbidden|Invalid)$/, policy.metadata.name)
      }
    }
  })
})

/** What the policy answers; a new or restored one works a moment later. */
async function refusal(name: string, attack: () => Promise<Answer>): Promise<Answer> {
  let last: Answer | undefined
  await until(`${name} refuses`, async () => {
    last = await attack()
    return last.message.includes(`'${name}'`)
  })
  assert.ok(last)
  refusedBy(name, last)
  return last
}
