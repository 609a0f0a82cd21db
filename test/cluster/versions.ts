/** What the harness runs, pinned. A change here gives every folder of the cache another name. */
export const versions = {
  kubernetes: '1.37.2',
  etcd: '3.7.0',
  coredns: '1.15.0',
  alertmanager: '0.31.1',
  pause: '1',
} as const
