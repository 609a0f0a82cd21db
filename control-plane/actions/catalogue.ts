import type { CatalogueEntry } from './action.ts'
import { hpaSetBounds } from './autoscaler/set-bounds.ts'
import { cronjobResume, cronjobSuspend } from './cronjob/suspend.ts'
import { jobRetry } from './job/retry.ts'
import { nodeCordon, nodeUncordon } from './node/cordon.ts'
import { nodeDrain } from './node/drain.ts'
import { podEvict } from './pod/evict.ts'
import { workloadPause, workloadResume } from './workload/pause.ts'
import { workloadRestart } from './workload/restart.ts'
import { workloadRollback } from './workload/rollback.ts'
import { workloadScale } from './workload/scale.ts'
import { workloadSetImage } from './workload/set-image.ts'
import { workloadSetResources } from './workload/set-resources.ts'

/** Every action there is. Adding one: its file, its line here, its test. */
export const catalogue: readonly CatalogueEntry[] = [
  workloadScale,
  workloadRestart,
  workloadRollback,
  workloadSetImage,
  workloadSetResources,
  workloadPause,
  workloadResume,
  hpaSetBounds,
  cronjobSuspend,
  cronjobResume,
  podEvict,
  nodeCordon,
  nodeUncordon,
  nodeDrain,
  jobRetry,
]

/** Part of what people approve: a change of the catalogue's meaning voids open approvals. */
export const catalogueVersion = '4'
