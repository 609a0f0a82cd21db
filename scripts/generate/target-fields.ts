/**
 * The fields of the resources that actions write, as the API server's types have them. An executor's
 * patch may change what its action names; every other field here must stay, and its refusal names it.
 * A field that a newer Kubernetes adds is held too, with a refusal that says less.
 */
export const specFields: Readonly<Record<string, readonly string[]>> = {
  'apps/deployments': [
    'replicas',
    'selector',
    'template',
    'strategy',
    'minReadySeconds',
    'revisionHistoryLimit',
    'paused',
    'progressDeadlineSeconds',
  ],
  'apps/statefulsets': [
    'replicas',
    'selector',
    'template',
    'volumeClaimTemplates',
    'serviceName',
    'podManagementPolicy',
    'updateStrategy',
    'revisionHistoryLimit',
    'minReadySeconds',
    'persistentVolumeClaimRetentionPolicy',
    'ordinals',
  ],
  'apps/daemonsets': [
    'selector',
    'template',
    'updateStrategy',
    'minReadySeconds',
    'revisionHistoryLimit',
  ],
  'autoscaling/horizontalpodautoscalers': [
    'scaleTargetRef',
    'minReplicas',
    'maxReplicas',
    'metrics',
    'behavior',
  ],
  '/nodes': [
    'podCIDR',
    'podCIDRs',
    'podPreemptionPolicy',
    'providerID',
    'unschedulable',
    'taints',
    'configSource',
    'externalID',
  ],
  'batch/jobs': [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'podFailurePolicy',
    'successPolicy',
    'backoffLimit',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
    'selector',
    'manualSelector',
    'template',
    'ttlSecondsAfterFinished',
    'completionMode',
    'suspend',
    'podReplacementPolicy',
    'managedBy',
    'scheduling',
  ],
  'batch/cronjobs': [
    'schedule',
    'timeZone',
    'startingDeadlineSeconds',
    'concurrencyPolicy',
    'suspend',
    'jobTemplate',
    'successfulJobsHistoryLimit',
    'failedJobsHistoryLimit',
  ],
}

/** Metadata that no action may change unless it says so. */
export const metadataFields = ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const
