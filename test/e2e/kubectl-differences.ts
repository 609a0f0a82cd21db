/** Lines after which the lab says something else than a real cluster, and why that is left so. */
export const differences: Readonly<Record<string, string>> = {
  'apply --validate=strict -f -':
    'a real server shows what its merge left of the patch, the lab the patch as it came',
}
