/** Where the control plane lives, and what of ours belongs to no other namespace. */
export const systemNamespace = 'jackstay-system'

/** Holds the executors' ServiceAccounts, one per class and named as it, and nothing that could use one. */
export const executorsNamespace = 'jackstay-executors'
