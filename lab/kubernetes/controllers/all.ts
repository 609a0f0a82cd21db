import type { Behaviours } from '../node/behaviour.ts'
import { autoscalerController } from './autoscaler.ts'
import { clusterRoleController } from './cluster-roles.ts'
import { type RunController, runController } from './controller.ts'
import { cronJobController } from './cron-jobs.ts'
import { deploymentController } from './deployments.ts'
import { disruptionController } from './disruptions.ts'
import { endpointsController } from './endpoints.ts'
import { eventExpiry } from './event-expiry.ts'
import { finishedJobsController } from './finished-jobs.ts'
import { garbageCollector } from './garbage.ts'
import { jobController } from './jobs.ts'
import { namespaceController } from './namespaces.ts'
import { nodeController } from './nodes.ts'
import { quotaController } from './quotas.ts'
import { replicaSetController } from './replica-sets.ts'
import { serviceAccountController } from './service-accounts.ts'
import { SharedCaches } from './shared-caches.ts'
import { statefulSetController } from './stateful-sets.ts'

export interface RunControllers extends RunController {
  /** By image; without it what ConfigMaps of the namespace `jackstay-lab` declare. */
  readonly behaviours?: Behaviours
}

/** Every controller of the lab, until the signal aborts. */
export async function runControllers(options: RunControllers): Promise<void> {
  const caches = options.caches ?? new SharedCaches(options.client, options.onError)
  const all = { ...options, caches }
  const onError = (error: unknown) => options.onError(error, 'horizontal-pod-autoscaler')
  await Promise.all([
    runController(serviceAccountController, all),
    runController(clusterRoleController, all),
    runController(deploymentController, all),
    runController(replicaSetController, all),
    runController(statefulSetController, all),
    runController(jobController, all),
    runController(finishedJobsController, all),
    runController(cronJobController(), all),
    runController(disruptionController, all),
    runController(endpointsController, all),
    runController(quotaController, all),
    runController(nodeController, all),
    runController(autoscalerController({ behaviours: options.behaviours, onError }), all),
    runController(garbageCollector, all),
    runController(eventExpiry, all),
    runController(namespaceController, all),
  ])
  if (options.caches === undefined) caches.stop()
}
