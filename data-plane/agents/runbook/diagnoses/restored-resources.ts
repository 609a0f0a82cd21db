import type { Json } from '@jackstay/contract/json'
import type { ContainerChange } from '../evidence/template-changes.ts'

type Amounts = Readonly<Record<string, string>>

/** The requests and limits of the revision before, as far as they differ. */
export function resourcesOf({ before, after }: ContainerChange): { readonly [key: string]: Json } {
  const requests = differing(before.resources.requests, after.resources.requests)
  const limits = differing(before.resources.limits, after.resources.limits)
  return {
    ...(Object.keys(requests).length > 0 && { requests }),
    ...(Object.keys(limits).length > 0 && { limits }),
  }
}

/** Whether going back takes no request and no limit away that was not there before. */
export function canGoBack({ before, after }: ContainerChange): boolean {
  return (['requests', 'limits'] as const).every((part) =>
    Object.keys(after.resources[part]).every((key) => key in before.resources[part]),
  )
}

function differing(before: Amounts, after: Amounts): Amounts {
  return Object.fromEntries(Object.entries(before).filter(([key, value]) => after[key] !== value))
}
