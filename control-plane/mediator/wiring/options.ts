import type { CatalogueEntry } from '@jackstay/actions/action'
import type { Thresholds } from '@jackstay/judge/breaker-thresholds'
import type { KubeClient } from '@jackstay/kube/client'
import type { Store } from '@jackstay/ledger/store'
import type { Log } from '@jackstay/service/log'
import type { Metrics } from '@jackstay/service/metrics'
import type { Tls } from '@jackstay/service/server'
import type { StaticToken } from '@jackstay/service/static-token'
import type { Traces } from '@jackstay/service/traces'
import type { Outside } from '../memory/outside.ts'
import type { PagerTarget } from '../pager/start.ts'
import type { Clock } from '../ports.ts'

export interface MediatorOptions {
  readonly client: KubeClient
  readonly clusterUid: string
  readonly store: Store
  readonly vkey: string
  readonly outside: Outside
  /** Intents signed before are refused: the log before this one may have known them. */
  readonly intentsFrom: number
  readonly alertToken: StaticToken
  readonly pagerTo: PagerTarget | undefined
  readonly breakerThresholds: Thresholds
  readonly redact: (text: string) => string
  readonly log: Log
  readonly metrics: Metrics
  readonly traces: Traces
  readonly clock: Clock
  readonly catalogue: readonly CatalogueEntry[]
  readonly catalogueVersion: string
  readonly host: string
  readonly port: number
  /** Needed beyond loopback. */
  readonly tls?: Tls
  readonly shownHours: number
  /** Without contact to the API server for so long, nothing is decided on what was known. */
  readonly staleSeconds: number
  /** One person is on call: see one-operator.ts for what that gives up. */
  readonly oneOperator: boolean
  readonly signal: AbortSignal
}
