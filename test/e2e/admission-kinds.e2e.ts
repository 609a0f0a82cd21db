import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { kinds } from '@jackstay/contract/kinds/all'
import { isRecord } from '@jackstay/kube/resources'
import { attempt, passed, refusedBy } from './attempt.ts'
import { beyondBounds, fieldsOf, withValue } from './bounds.ts'
import { type Governed, governed, type Manifest, read } from './governed.ts'
import { actionPolicyOf, clusterPath, zeroUid } from './specimens.ts'
import { subjectOf } from './subjects.ts'
import { noCluster, type World, world } from './world.ts'

const dryRun = { dryRun: true }
const openApi = '/openapi/v3/apis/jackstay.dev/v1alpha1'

describe('the kinds of Jackstay', { skip: await noCluster() }, () => {
  let w: World
  let g: Governed
  before(async () => {
    w = await world()
    g = await governed(w)
  })

  const subject = (kind: string) => subjectOf(w, g, kind)

  for (const kind of kinds) {
    describe(kind.kind, () => {
      it('is established, structural, with short name, category, columns and status', async () => {
        const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${kind.plural}.jackstay.dev`
        const { status } = await read(w.admin, path)
        assert.ok(isRecord(status) && Array.isArray(status.conditions))
        const conditions: unknown[] = status.conditions
        const of = (type: string) =>
          conditions.filter(isRecord).find((one) => one.type === type)?.status
        assert.equal(of('Established'), 'True')
        assert.notEqual(of('NonStructuralSchema'), 'True')
        assert.deepEqual(
          isRecord(status.acceptedNames) && [
            status.acceptedNames.shortNames,
            status.acceptedNames.categories,
          ],
          [[kind.shortName], ['jackstay']],
        )
        const { client, path: objects, of: specimen } = subject(kind.kind)
        const one = specimen()
        passed(await attempt(client, 'POST', objects, one))
        const names = ['get', kind.shortName, one.metadata.name, '-n', g.target, '-o', 'wide']
        const listed = await w.kubectl(names)
        const [header = ''] = listed.stdout.split('\n')
        const columns = ['Name', ...kind.columns.map(({ name }) => name)]
        assert.deepEqual(
          header.trim().split(/\s+/),
          columns.map((name) => name.toUpperCase()),
        )
        const category = await w.kubectl(['get', 'jackstay', '-n', g.target])
        assert.match(category.stdout, new RegExp(one.metadata.name))
        if (kind.scope === 'Cluster')
          passed(await attempt(client, 'DELETE', `${objects}/${one.metadata.name}`))
        if (!kind.status) return
        const none = await attempt(client, 'PATCH', `${objects}/none/status`, {})
        assert.match(none.message, /"none" not found/, 'the status subresource exists')
      })

      it('refuses every field beyond its bounds, and names it', async () => {
        const { client, path, of } = subject(kind.kind)
        const cases = beyondBounds(kind)
        assert.ok(cases.length > 5)
        const answers = await Promise.all(
          cases.map(async ({ at, value }) => {
            const one = of()
            const spec = withValue(one.spec, at, value)
            return { at, ...(await attempt(client, 'POST', path, { ...one, spec }, dryRun)) }
          }),
        )
        for (const { at, status, message } of answers) {
          const field = ['spec', ...at].join('.').replaceAll('.0', '[0]')
          assert.equal(status, 422, `${field}: ${message}`)
          assert.ok(message.includes(field), `${field} is not named: ${message}`)
        }
      })

      it('takes a valid object', async () => {
        const { client, path, of } = subject(kind.kind)
        passed(await attempt(client, 'POST', path, of(), dryRun))
      })
    })
  }

  it('say what each of their fields is, in kubectl explain', async () => {
    const explained = await w.kubectl(['explain', 'agentclass.spec.limits.oscillation'])
    assert.match(explained.stdout, /stops a field that is turned to and fro/)
    assert.match(explained.stdout, /so many turns of one field stop the next one/)
    const published = JSON.stringify((await attempt(w.admin, 'GET', openApi)).body)
    for (const kind of kinds) {
      for (const { description } of fieldsOf(kind)) {
        assert.ok(published.includes(JSON.stringify(description)), `${kind.kind}: ${description}`)
      }
    }
  })

  describe('refuse what they do not know (T83)', () => {
    const rule = (more: Manifest) => ({ rules: [{ name: 'r', allow: { when: 'true' }, ...more }] })
    const misspelt: [string, Manifest][] = [
      ['ActionPolicy', { modee: 'audit' }],
      ['ActionPolicy', rule({ requireAproval: { when: 'true', count: 2, groups: ['a'] } })],
      ['ActionPolicy', { rules: [{ name: 'r', allow: { when: 'true', unless: 'false' } }] }],
      ['AgentClass', { limit: {} }],
      ['AgentClass', { grant: { count: 1, groups: ['oncall'], minimum: 5 } }],
      ['Suspension', { class: 'nobody', undoo: 'hold' }],
      ['Approval', { subject: { kind: 'Intent', name: 'x', uid: zeroUid, namespace: 'y' } }],
    ]

    it('by plain REST', async () => {
      for (const [kind, spec] of misspelt) {
        const { client, path, of } = subject(kind)
        const answer = await attempt(client, 'POST', path, of(spec), dryRun)
        assert.match(answer.message, /jackstay-unknown-fields-\w+.*has a field that does not exist/)
        assert.equal(answer.status, 422)
      }
    })

    it('beside the spec too', async () => {
      for (const { kind } of kinds) {
        const { client, path, of } = subject(kind)
        const answer = await attempt(client, 'POST', path, { ...of(), sepc: {} }, dryRun)
        assert.match(answer.message, /jackstay-unknown-fields-\w+/, kind)
      }
    })

    it('by kubectl, whether or not it validates', async () => {
      const policy = actionPolicyOf(rule({ denny: { when: 'true' } }))
      for (const validate of ['strict', 'warn', 'ignore']) {
        for (const verb of [['create'], ['apply'], ['apply', '--server-side']]) {
          const args = [...verb, `--validate=${validate}`, '--dry-run=server', '-f', '-']
          const { code, stderr } = await w.kubectl(args, { stdin: JSON.stringify(policy) })
          assert.notEqual(code, 0, args.join(' '))
          assert.match(stderr, /has a field that does not exist|unknown field|field not declared/)
        }
      }
    })

    it('by merge patch, JSON patch or replacement of a good one', async () => {
      const { path } = subject('ActionPolicy')
      const good = actionPolicyOf()
      passed(await attempt(w.admin, 'POST', path, good))
      const at = `${path}/${good.metadata.name}`
      const bent = rule({ denny: { when: 'true' } })
      const json = { ...dryRun, contentType: 'application/json-patch+json' }
      const add = [{ op: 'add', path: '/spec/rules/0/denny', value: { when: 'true' } }]
      const { resourceVersion } = (await read(w.admin, at)).metadata
      const metadata = { ...good.metadata, resourceVersion }
      const whole = { ...good, metadata, spec: { ...good.spec, ...bent } }
      for (const answer of [
        await attempt(w.admin, 'PATCH', at, { spec: bent }, dryRun),
        await attempt(w.admin, 'PATCH', at, add, json),
        await attempt(w.admin, 'PUT', at, whole, dryRun),
      ]) {
        refusedBy('jackstay-unknown-fields-actionpolicies', answer)
      }
      passed(await attempt(w.admin, 'DELETE', at))
    })

    // kubectl itself keeps the last of two keys before it sends anything, in YAML as in JSON
    it('and of a duplicate key never keep two meanings: one value is stored, or none', async () => {
      const { metadata, ...rest } = actionPolicyOf()
      const text = JSON.stringify({ ...rest, metadata }).replace(
        '"mode":"audit"',
        '"mode":"enforce","mode":"audit"',
      )
      const post = (query: string) =>
        w.kubectl(
          ['create', '--raw', `${clusterPath('actionpolicies')}?dryRun=All${query}`, '-f', '-'],
          { stdin: text },
        )
      const strict = await post('&fieldValidation=Strict')
      assert.match(strict.stderr, /duplicate field "spec.mode"/)
      assert.notEqual(strict.code, 0)
      const lax = await post('')
      assert.match(lax.stderr, /Warning: duplicate field "spec.mode"/, 'not silently')
      const stored: unknown = JSON.parse(lax.stdout)
      assert.ok(isRecord(stored) && isRecord(stored.spec))
      assert.equal(stored.spec.mode, 'audit', 'the last, which every reader of the object sees')
    })

    it('and an object without a spec, or with another kind’s', async () => {
      for (const { kind } of kinds) {
        const { client, path, of } = subject(kind)
        const { spec: _, ...bare } = of()
        for (const object of [bare, { ...bare, spec: {} }, { ...bare, spec: { replicas: 1 } }]) {
          const { status } = await attempt(client, 'POST', path, object, dryRun)
          assert.equal(status, 422, `${kind} ${JSON.stringify(object)}`)
        }
      }
    })
  })

  it('keep the specs of Approvals, AgentKeys and Intents as they were born', async () => {
    for (const kind of kinds.filter(({ immutable }) => immutable)) {
      const { client, path, of } = subject(kind.kind)
      const one = of()
      passed(await attempt(client, 'POST', path, one))
      const at = `${path}/${one.metadata.name}`
      const [field = ''] = Object.keys(one.spec).filter((key) => typeof one.spec[key] === 'string')
      const bent = { spec: { [field]: `${String(one.spec[field])}0` } }
      const { status, message } = await attempt(client, 'PATCH', at, bent, dryRun)
      assert.ok(status === 422 || status === 403, `${kind.kind} ${status} ${message}`)
      assert.match(message, /never changes|jackstay-approvals-immutable/)
    }
  })
})
