/** Groups that a real API server has from its begin, or that every cluster adds, and the lab has not. */
const groups = new Set([
  'apiregistration.k8s.io',
  'certificates.k8s.io',
  'custom.metrics.k8s.io',
  'external.metrics.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'metrics.k8s.io',
  'node.k8s.io',
  'resource.k8s.io',
  'storagemigration.k8s.io',
])

/** Collections that a real API server has and the lab has not, as the store calls them. */
const collections = new Set([
  ...['bindings', 'componentstatuses', 'persistentvolumes', 'podtemplates'],
  ...['endpoints', 'replicationcontrollers'],
  ...['csidrivers.storage.k8s.io', 'csinodes.storage.k8s.io'],
  ...['csistoragecapacities.storage.k8s.io', 'volumeattachments.storage.k8s.io'],
  ...['volumeattributesclasses.storage.k8s.io', 'leasecandidates.coordination.k8s.io'],
  ...['ingressclasses.networking.k8s.io', 'ipaddresses.networking.k8s.io'],
  'servicecidrs.networking.k8s.io',
  'mutatingadmissionpolicies.admissionregistration.k8s.io',
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io',
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
])

const pages = new Set(['.well-known', 'debug', 'logs', 'metrics', 'openid'])

export function isElsewhereCollection(group: string, plural: string): boolean {
  return groups.has(group) || collections.has(group === '' ? plural : `${plural}.${group}`)
}

/** Whether a real API server has something at a path that is no resource. */
export function isElsewhere(root: string, [name = '']: readonly string[]): boolean {
  if (root === 'openapi') return name === 'v2'
  return root === 'apis' ? groups.has(name) : pages.has(root)
}
