import { type RunController, runController } from './controller.ts'
import { deploymentController } from './deployments.ts'
import { disruptionController } from './disruptions.ts'
import { garbageCollector } from './garbage.ts'
import { namespaceController } from './namespaces.ts'
import { replicaSetController } from './replica-sets.ts'
import { serviceAccountController } from './service-accounts.ts'

/** Every controller of the lab, until the signal aborts. */
export async function runControllers(options: RunController): Promise<void> {
  await Promise.all([
    runController(serviceAccountController, options),
    runController(deploymentController, options),
    runController(replicaSetController, options),
    runController(disruptionController, options),
    runController(garbageCollector, options),
    runController(namespaceController, options),
  ])
}
