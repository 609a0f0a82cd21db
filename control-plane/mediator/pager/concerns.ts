import { visible } from '@jackstay/contract/text'
import { pagerLabel } from '@jackstay/contract/trigger'

/** Something that a person has to look at. */
export type Concern =
  | {
      readonly kind: 'approval'
      readonly id: string
      readonly action: string
      readonly namespace: string
      readonly class: string
      readonly summary: string
      readonly needs: string
      /** RFC 3339. */
      readonly expires: string
    }
  | {
      readonly kind: 'undo'
      readonly id: string
      readonly action: string
      readonly namespace: string
      readonly class: string
      readonly why: string
    }
  | {
      readonly kind: 'breaker'
      readonly scope: string
      readonly key: string
      readonly cause: string
      /** RFC 3339. */
      readonly retryAt: string
    }
  | {
      readonly kind: 'suspension'
      readonly what: string
      readonly until: string
      /** Lifts it. */
      readonly command: string
    }
  | { readonly kind: 'ledger'; readonly problem: string; readonly detail: string }
  | { readonly kind: 'more'; readonly of: string; readonly count: number }

/** An alert as Alertmanager's API takes it, without its times. */
export interface Page {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/**
 * What a pager shows of a concern: labels that make it one alert, annotations that say what to type.
 * Texts come from the control plane; an agent's own words are in none of them.
 */
export function pageOf(concern: Concern): Page {
  switch (concern.kind) {
    case 'approval': {
      const { id, action, namespace, summary, needs, expires } = concern
      return page('JackstayApprovalPending', 'warning', {
        labels: { intent: id, action, namespace, class: concern.class },
        summary: `waits for approval until ${expires}: ${summary}`,
        command: `jackstay why ${id}; jackstay approve ${id} --reason …`,
        more: { needs, expires },
      })
    }
    case 'undo': {
      const { id, action, namespace, why } = concern
      return page('JackstayUndoHeld', 'critical', {
        labels: { intent: id, action, namespace, class: concern.class },
        summary: `a change was not taken back and needs a person: ${why}`,
        command: `jackstay why ${id}`,
      })
    }
    case 'breaker': {
      const { scope, key, cause, retryAt } = concern
      return page('JackstayBreakerOpen', 'warning', {
        labels: { scope, key },
        summary: `the breaker of the ${scope} ${key} is open: ${cause}`,
        command: 'jackstay breakers',
        more: { expires: retryAt },
      })
    }
    case 'suspension': {
      const { what, until, command } = concern
      return page('JackstaySuspensionOverdue', 'warning', {
        labels: { suspension: what },
        summary: `${what} is still suspended; it was meant to end at ${until}. Nothing lifts it but a person`,
        command,
        more: { expires: until },
      })
    }
    case 'ledger': {
      const { problem, detail } = concern
      return page('JackstayLedger', 'critical', {
        labels: { problem },
        summary: `the log needs a look: ${detail}`,
        command: 'jackstay ledger status',
      })
    }
    case 'more': {
      const { of, count } = concern
      return page('JackstayMoreWaiting', 'critical', {
        labels: { of },
        summary: `${count} more ${of} than are listed one by one`,
        command: 'jackstay inbox',
      })
    }
  }
}

function page(
  alertname: string,
  severity: 'warning' | 'critical',
  {
    labels,
    summary,
    command,
    more = {},
  }: {
    readonly labels: Readonly<Record<string, string>>
    readonly summary: string
    readonly command: string
    readonly more?: Readonly<Record<string, string>>
  },
): Page {
  const shown = Object.entries({ ...labels, alertname, severity, ...pagerLabel })
  return {
    // Alertmanager takes an empty label for none
    labels: Object.fromEntries(shown.filter(([, value]) => value !== '').map(clean)),
    annotations: Object.fromEntries(Object.entries({ summary, command, ...more }).map(clean)),
  }
}

function clean([name, value]: [string, string]): [string, string] {
  return [name, visible(value, 1024)]
}
