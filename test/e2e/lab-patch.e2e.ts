import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { KubeClient } from '@jackstay/kube/client'
import { isRecord } from '@jackstay/kube/resources'
import { shapedKinds, shapeOfCustomKind, shapeOfKind } from '@jackstay/lab/kubernetes/patch/shapes'
import { attempt, passed, until } from './attempt.ts'
import { disagreements } from './patch-schema.ts'
import { customStory, customVersion, stories } from './patch-stories.ts'
import type { Story } from './patch-story.ts'
import { Twin } from './patch-twin.ts'
import { realServer } from './two-servers.ts'
import { noCluster } from './world.ts'

const id = randomBytes(4).toString('hex')
const namespaces = `/api/v1/namespaces`
const group = `patch-${id}.example`
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `houses.${group}` },
  spec: {
    ...{ group, scope: 'Namespaced', versions: [customVersion] },
    names: { plural: 'houses', singular: 'house', kind: 'House', listKind: 'HouseList' },
  },
}

/*
 * Where the two differ, and why it stays so:
 * - Fields of built-in kinds that Go leaves out at `false`, `0` or as an empty list are kept as they were
 *   written, and owned: the table names lists and maps, not every field.
 * - Fields that a built-in kind does not have are merged and owned instead of dropped or refused, for the
 *   same reason.
 * - A key called `constructor`, `prototype` or `__proto__` cannot be named by a JSON patch.
 * - The lab serves one version of a kind: fields owned in another version are taken as of this one, and a
 *   change of a list's type in a schema leaves earlier owners as they are.
 * - `kubectl apply --server-side` does not take over what the annotation of a client-side apply says.
 */
describe('the lab patches as a real API server does', { skip: await noCluster() }, () => {
  let admin: KubeClient
  before(async () => {
    admin = (await realServer()).admin
    passed(await attempt(admin, 'POST', definitions, definition))
  })
  after(async () => {
    await attempt(admin, 'DELETE', `${definitions}/${definition.metadata.name}`)
  })

  for (const [i, story] of [...stories, customStory(group)].entries()) {
    describe(story.title, () => {
      const namespace = `patch-${id}-${i}`
      before(async () => {
        const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }
        passed(await attempt(admin, 'POST', namespaces, object))
      })
      after(async () => {
        const object = pathOf(story, namespace)
        await attempt(admin, 'PATCH', object, { metadata: { finalizers: null } })
        await attempt(admin, 'DELETE', object)
        await attempt(admin, 'DELETE', `${namespaces}/${namespace}`)
      })

      for (const step of story.steps) {
        it(`${step.what}`, async () => {
          const path = pathOf(story, namespace)
          if (story.apiVersion.startsWith(group)) await served(path)
          await twinOf(story, path).take(step)
        })
      }
    })
  }

  it('its table says of every place what the server says', async () => {
    const { body } = await attempt(admin, 'GET', '/openapi/v2')
    assert.ok(isRecord(body) && isRecord(body.definitions))
    const { definitions } = body
    const found = shapedKinds().flatMap(([apiVersion, kind]) => {
      return disagreements(definitions, apiVersion, kind, shapeOfKind(apiVersion, kind) ?? {})
    })
    assert.deepEqual(found, [])
  })

  async function served(path: string): Promise<void> {
    const collection = path.slice(0, path.lastIndexOf('/'))
    await until('the custom kind is served', async () => {
      return (await attempt(admin, 'GET', collection)).status === 200
    })
  }

  function twinOf({ apiVersion, kind }: Story, path: string): Twin {
    const isCustom = apiVersion.startsWith(group)
    const shape = isCustom ? shapeOfCustomKind(definition, 'v1') : shapeOfKind(apiVersion, kind)
    if (shape === undefined) throw new Error(`no shape of ${kind}`)
    const hasStatus = kind !== 'ConfigMap'
    return new Twin(admin, path, shape, { apiVersion, kind, hasStatus, isCustom })
  }
})

function pathOf({ apiVersion, plural }: Story, namespace: string): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  return `${root}/namespaces/${namespace}/${plural}/one`
}
