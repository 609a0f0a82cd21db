import type { Json } from '@jackstay/contract/json'
import { selectorText } from '@jackstay/contract/label-selector'
import { z } from 'zod'
import type { FactReader, TargetKind } from '../action.ts'
import type { Workload } from './observed.ts'

export const pods: TargetKind = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }

const statuses = z
  .array(z.object({ name: z.string(), imageID: z.string().default('') }))
  .default([])
const named = z.array(z.object({ name: z.string(), image: z.string().default('') })).default([])
const pod = z.object({
  spec: z.object({ containers: named, initContainers: named }).prefault({}),
  status: z.object({ containerStatuses: statuses, initContainerStatuses: statuses }).prefault({}),
})

/** What a container's image name stands for in the Pods that run now. */
export interface RunningImage {
  readonly container: string
  readonly image: string
  /** `sha256:…` of each image that Pods run under this name; none where no Pod runs it. */
  readonly digests: readonly string[]
}

/** More than these for one container say nothing to a person. */
const maxDigests = 4

/** The digests that the images of a template are running as, by the Pods' own status. */
export async function runningImages(
  { metadata, spec }: Workload,
  read: FactReader,
): Promise<readonly RunningImage[]> {
  const selector = selectorText(spec.selector)
  const found = selector === '' ? [] : await read.list(pods, metadata.namespace, selector)
  const running = found.flatMap((one) => imagesOf(pod.parse(one)))
  const { containers, initContainers } = spec.template.spec
  return [...containers, ...initContainers].map(({ name, image }) => {
    const mine = running.filter((r) => r.container === name && r.image === image)
    const digests = [...new Set(mine.map((r) => r.digest))].sort().slice(0, maxDigests)
    return { container: name, image, digests }
  })
}

function imagesOf({ spec, status }: z.infer<typeof pod>) {
  const ids = [...status.containerStatuses, ...status.initContainerStatuses]
  return [...spec.containers, ...spec.initContainers].flatMap(({ name, image }) => {
    const id = ids.find((s) => s.name === name)?.imageID ?? ''
    const digest = /sha256:[0-9a-f]{64}$/.exec(id)?.[0]
    return digest === undefined ? [] : [{ container: name, image, digest }]
  })
}

/** A name that does not fix its content: what it stands for is the registry's to change. */
function isMutable(image: string): boolean {
  return !/@sha256:[0-9a-f]{64}$/.test(image)
}

/** For people: what the names stand for now, where that may change. */
export function imageNotes(images: readonly RunningImage[]): string[] {
  return images
    .filter(({ image }) => isMutable(image))
    .map(({ container, image, digests }) => {
      const now = digests.length > 0 ? `now runs as ${digests.join(', ')}` : 'runs in no Pod now'
      return `${container}: ${image} ${now}; the tag may stand for another image later`
    })
}

/** As part of a plan's facts. */
export function imageFacts(images: readonly RunningImage[]): Json {
  return images.map(({ container, image, digests }) => ({
    ...{ container, image, mutable: isMutable(image) },
    digests: [...digests],
  }))
}
