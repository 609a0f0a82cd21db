import { incidentNamed, incidents } from '../incidents/catalogue.ts'
import { make, until } from '../incidents/changes.ts'
import type { Incident } from '../incidents/incident.ts'
import { NotHere } from './not-here.ts'
import type { Scene } from './scene.ts'

/** What breaks where nobody asks for something else: it ends with a person's approval. */
const first = 'scaled-to-zero'
const showsMs = 120_000

/** An incident of the lab's world. @throws NotHere naming those that there are */
export function sceneNamed(name = first): Scene {
  const incident = incidentNamed(name)
  if (incident !== undefined) return sceneOf(incident)
  const names = incidents.map((one) => one.name).join(', ')
  throw new NotHere(`there is no incident \`${name}\`; choose one of ${names}`)
}

function sceneOf({ title, goodAnswer, fault, shows, alert, reference }: Incident): Scene {
  return {
    ...{ title, goodAnswer, alert, answer: reference.kind },
    async begin(client, signal) {
      await make(client, fault, signal)
      await until(client, shows, AbortSignal.any([signal, AbortSignal.timeout(showsMs)]))
    },
  }
}
