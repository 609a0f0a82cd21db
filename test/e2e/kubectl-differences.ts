const patch = 'a real server shows what its merge left of the patch, the lab the patch as it came'
const order = 'a real server shows the fields of the patched object in the order of its Go type'

/** Lines after which the lab says something else than a real cluster, and why that is left so. */
export const differences: Readonly<Record<string, string>> = {
  'apply --validate=strict -f -': patch,
  'apply -f - --validate=strict -o name': order,
  'explain deployment.spec.strategy.rollingUpdate.maxSurge':
    "descriptions are Kubernetes' own sentences: the lab knows names and types of fields alone",
  'get cm': 'no program of the lab looks for the ConfigMap `kube-root-ca.crt`',
  'patch deployment web -p \'{"spec":{"replicas":"three"}}\'':
    'a real server names a function of its own that knows no such type',
}
