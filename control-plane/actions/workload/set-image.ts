import { z } from 'zod'
import { containerAction, containerName } from './container.ts'

const params = z.strictObject({
  container: containerName,
  image: z
    .string()
    .max(512)
    .regex(
      /^[a-z0-9][a-zA-Z0-9.:_/-]*(@sha256:[0-9a-f]{64})?$/,
      'an image such as `registry.example/app:1.2` or one with its `@sha256:` digest',
    )
    .describe('the image it shall run, best with its digest'),
})

/** Sets the image of one container of a workload's template. */
export const workloadSetImage = containerAction<z.infer<typeof params>>({
  name: 'workload.setImage',
  description:
    'Sets the image of one container of a Deployment, StatefulSet or DaemonSet, which replaces its Pods a few at a time. Undone by setting the previous image.',
  cannotRestore:
    'What the replaced Pods held in memory and on their own disks. Where the previous image was named by a tag, the tag may stand for other content by then.',
  params,
  field: 'image',
  change: ({ image, container }, now) =>
    now === image
      ? { refused: 'no_change', message: `\`${container}\` already has the image \`${image}\`` }
      : { to: image },
  summary: ({ container, image }, place) => `set the image of ${container} in ${place} to ${image}`,
})
