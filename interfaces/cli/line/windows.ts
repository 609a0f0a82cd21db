import { changeWindowSpec } from '@jackstay/contract/kinds/change-window'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import { type CompiledWindow, compileWindow, nextChange, preview } from '@jackstay/judge/windows'
import { type KubeClient, statusOf } from '@jackstay/kube/client'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed } from '../failure.ts'
import { type Line, type Span, type Style, styled, table } from '../screen.ts'
import { inTime } from './in-time.ts'

/** One ChangeWindow as it stands now. */
export interface WindowNow {
  readonly name: string
  readonly effect: string
  readonly actions: readonly string[]
  readonly namespaces: readonly string[]
  readonly open: boolean
  /** When that changes, RFC 3339; absent where it does not within the years looked at. */
  readonly changesAt?: string
  readonly reason?: string
  readonly madeBy?: string
  /** Why it cannot be read: it is then as strict as its effect can be. */
  readonly problem?: string
  readonly spans: readonly { readonly from: string; readonly until?: string }[]
}

const mostSpans = 100

/** Every window, read as the user; with `aheadMs`, when each is open until then. */
export async function readWindows(
  client: KubeClient,
  now: number,
  aheadMs: number,
  signal: AbortSignal,
): Promise<WindowNow[]> {
  const type = { apiVersion: groupVersion, resource: 'changewindows' }
  const { items } = await client.list(type, { signal }).catch((error: unknown) => {
    if (statusOf(error)?.code !== 404) throw error
    throw new CommandFailed(
      exitCodes.notFound,
      'not_found',
      'this cluster has no kind ChangeWindow; apply charts/jackstay/crds again',
    )
  })
  return items
    .map(({ metadata: { name = '' }, spec }) => {
      const parsed = changeWindowSpec.safeParse(spec)
      if (parsed.success) return windowNow(compileWindow({ name, spec: parsed.data }), now, aheadMs)
      const [issue] = parsed.error.issues
      const problem = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'does not read'}`
      return {
        name,
        effect: 'unknown',
        actions: [],
        namespaces: [],
        open: false,
        problem,
        spans: [],
      }
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function windowNow(window: CompiledWindow, now: number, aheadMs: number): WindowNow {
  const { name, spec, problem } = window
  const { open, at } = nextChange(window, now)
  const spans = aheadMs === 0 ? [] : preview(window, now, mostSpans)
  return {
    ...{ name, effect: spec.effect, actions: spec.actions, namespaces: spec.namespaces, open },
    ...(at !== undefined && { changesAt: new Date(at).toISOString() }),
    ...(spec.reason !== undefined && { reason: spec.reason }),
    ...(spec.madeBy !== undefined && { madeBy: spec.madeBy }),
    ...(problem !== undefined && { problem }),
    spans: spans
      .filter(({ from }) => from < now + aheadMs)
      .map(({ from, until }) => ({
        from: new Date(from).toISOString(),
        ...(until !== undefined && { until: new Date(until).toISOString() }),
      })),
  }
}

export function windowLines(windows: readonly WindowNow[], now: number, wide: boolean): Line[] {
  if (windows.length === 0) return [['no change windows: none restricts when changes are made']]
  const head = ['NAME', 'EFFECT', 'NOW', 'CHANGES', 'ACTIONS', 'NAMESPACES', 'PROBLEM']
  const rows = windows.map((one): Span[] => [
    { text: one.name },
    { text: one.effect },
    styled(styleOf(one), one.open ? 'open' : 'closed'),
    { text: one.changesAt === undefined ? '' : inTime(one.changesAt, now) },
    { text: one.actions.join(',') },
    { text: one.namespaces.join(',') },
    styled('red', one.problem ?? ''),
    ...(wide ? [{ text: one.madeBy ?? '' }, { text: one.reason ?? '' }] : []),
  ])
  return [
    ...table([...head, ...(wide ? ['MADE BY', 'REASON'] : [])], rows),
    ...windows.flatMap(spanLines),
  ]
}

function spanLines({ name, effect, spans }: WindowNow): Line[] {
  return spans.map(({ from, until }) => [
    styled('dim', `${effect} ${name}: ${from} to ${until ?? 'no end within 60 days'}`),
  ])
}

/** Red is what stops changes now. */
function styleOf({ effect, open }: WindowNow): Style {
  if (effect === 'freeze') return open ? 'red' : 'dim'
  if (effect === 'breakGlass') return open ? 'yellow' : 'dim'
  return open ? 'green' : 'dim'
}
