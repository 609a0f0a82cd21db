import { JackstayError } from '@jackstay/contract/errors'
import { canonical, sha256 } from '@jackstay/contract/json'
import { type ManualTrigger, type Trigger, trigger } from '@jackstay/contract/trigger'
import type { Store, StoredTrigger } from '@jackstay/ledger/store'
import type { Clock } from '../ports.ts'
import { anyTrigger, type Changes } from '../reading/changes.ts'
import { fieldsOf, readTrigger } from '../triggers/stored-trigger.ts'

/** Triggers that people make where no Alertmanager does. From here on they are as any other. */
export interface ManualTriggers {
  create(wanted: ManualTrigger, createdBy: string): Promise<Trigger>
  /** @throws JackstayError `not_found`; `invalid_request` for what Alertmanager resolves */
  resolve(id: string): Promise<Trigger>
}

export function manualTriggers(
  store: Pick<Store, 'putTrigger' | 'trigger'>,
  clock: Clock,
  changes: Changes,
  newId: () => string,
  onResolved: () => void,
): ManualTriggers {
  return {
    async create({ labels, annotations }, createdBy) {
      const startsAt = new Date(clock.now()).toISOString()
      const id = newId()
      const fingerprint = sha256(canonical(labels)).slice('sha256:'.length).slice(0, 16)
      const known = {
        ...({ source: 'manual', status: 'firing' } as const),
        ...{ fingerprint, startsAt, groupKey: `manual/${id}` },
      }
      const said = { ...known, receivedAt: startsAt, labels, annotations, createdBy }
      const made = trigger.parse({ ...said, id })
      await store.putTrigger({ id, dedupKey: sha256(known.groupKey), ...known, data: said })
      changes.notify(anyTrigger)
      return made
    },
    async resolve(id) {
      const row = await store.trigger(id)
      if (row === undefined) throw new JackstayError('not_found', `there is no trigger \`${id}\``)
      if (row.source !== 'manual') {
        throw new JackstayError(
          'invalid_request',
          `the alert \`${id}\` is resolved where it came from, by its Alertmanager`,
        )
      }
      const made = readTrigger({ ...row, status: 'resolved' })
      await store.putTrigger(resolved(row))
      changes.notify(anyTrigger)
      onResolved()
      return made
    },
  }
}

function resolved({ id, dedupKey, source, fingerprint, startsAt, groupKey, data }: StoredTrigger) {
  const status = 'resolved' as const
  const known = { id, dedupKey, source, fingerprint, startsAt, groupKey, status }
  return { ...known, data: { ...fieldsOf(data), status } }
}
