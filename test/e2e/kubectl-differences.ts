/** Lines after which the lab says something else than a real cluster, and why that is left so. */
export const differences: Readonly<Record<string, string>> = {}
