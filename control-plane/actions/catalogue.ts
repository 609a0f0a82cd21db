import type { CatalogueEntry } from './action.ts'
import { workloadRestart } from './workload/restart.ts'
import { workloadScale } from './workload/scale.ts'

/** Every action there is. Adding one: its file, its line here, its test. */
export const catalogue: readonly CatalogueEntry[] = [workloadScale, workloadRestart]

/** Part of what people approve: a change of the catalogue's meaning voids open approvals. */
export const catalogueVersion = '2'
