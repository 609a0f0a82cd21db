import type { CatalogueEntry } from './action.ts'
import { workloadScale } from './workload-scale.ts'

/** Every action there is. Adding one: its file, its line here, its test. */
export const catalogue: readonly CatalogueEntry[] = [workloadScale]

/** Part of what people approve: a change of the catalogue's meaning voids open approvals. */
export const catalogueVersion = '1'
